"""From features to boxes: class maps, the CAM family, refinement, thresholds."""
