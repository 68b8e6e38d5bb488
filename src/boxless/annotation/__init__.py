"""From images to annotations: what a model finds in them, by batch inference, then written in a format.

Public is what docs/api lists of it; the rest is internal.

>>> from pathlib import Path
>>> from boxless.annotation import AnnotationOptions, annotate, read_inputs
>>> inputs = read_inputs(Path("images"), "folder")
>>> annotate(inputs, Path("annotations"), AnnotationOptions(format="coco", model="mine.onnx"))
"""

from __future__ import annotations

from boxless.annotation.inputs import Input, read_inputs
from boxless.annotation.run import AnnotationOptions, AnnotationSummary, annotate

__all__ = ["AnnotationOptions", "AnnotationSummary", "Input", "annotate", "read_inputs"]
