"""Model files: the card, the presets, the bundled models, and ONNX Runtime behind them."""
