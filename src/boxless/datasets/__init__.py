"""Images with labels and boxes: one module for each format.

Public is what docs/api lists of it; the rest is internal.
"""
