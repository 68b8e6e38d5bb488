"""ONNX graphs: a network made into a boxless model. Needs the `graph` extra (the onnx package)."""
