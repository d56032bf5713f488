"""Training of what a spec compiles to: data, the run, and what comes after it. All of it needs torch."""
