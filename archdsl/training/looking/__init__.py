"""What a trained network makes of an input: each layer's output, as pictures on a page."""
