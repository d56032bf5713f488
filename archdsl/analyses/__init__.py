"""What can be said of a network without running it: each analysis is a function of a checked `Network`."""
