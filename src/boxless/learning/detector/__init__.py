"""Detectors learned from labels: class maps teach boxes, boxes teach a detector, the detector teaches itself.

Public is what docs/api lists of it; the rest is internal.
"""
