"""Images with labels and boxes: one module for each format."""
