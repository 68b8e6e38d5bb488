"""Programs that measure: each writes benchmarks/results/NAME.json."""

import boxless  # noqa: F401  before ONNX Runtime, which would report to its makers
