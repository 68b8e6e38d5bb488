"""From features to boxes: class maps, the CAM family, refinement, thresholds.

Public is what docs/api lists of it; the rest is internal.
"""
