"""Detectors learned from labels: class maps teach boxes, boxes teach a detector, the detector teaches itself."""
