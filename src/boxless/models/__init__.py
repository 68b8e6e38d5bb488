"""Model files: the card, the presets, the bundled models, and ONNX Runtime behind them.

Public is what docs/api lists of it; the rest is internal.
"""
