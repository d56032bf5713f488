"""Input sizes that stay open: for which values a network is valid, and what comes out, as expressions."""
