"""Images in and out: reading every container, resizing, drawing.

Public is what docs/api lists of it; the rest is internal.
"""
