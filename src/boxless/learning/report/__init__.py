"""What a report says of a learned model.

Public is what docs/api lists of it; the rest is internal.
"""
