"""Training: data, the loop, what is told while it runs, and what can be done with a trained run."""
