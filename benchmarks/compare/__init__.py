"""One small residual network in four notations, and the same slips in each: what `benchmarks.compare_faults` runs."""
