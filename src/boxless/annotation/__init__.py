"""From images to annotations: what a model finds in them, kept as it comes, then written in a format.

>>> from pathlib import Path
>>> from boxless import Localizer, ModelFile
>>> from boxless.annotation import AnnotationOptions, annotate, read_inputs
>>> inputs = read_inputs(Path("pictures"), "folder")
>>> localizer = Localizer(ModelFile("mine.onnx", threads=1))
>>> annotate(inputs, Path("annotations"), localizer, AnnotationOptions(format="coco"))
"""

from __future__ import annotations

from boxless.annotation.inputs import Input, read_inputs
from boxless.annotation.run import AnnotationOptions, AnnotationSummary, annotate

__all__ = ["AnnotationOptions", "AnnotationSummary", "Input", "annotate", "read_inputs"]
