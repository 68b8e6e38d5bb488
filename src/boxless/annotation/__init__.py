"""From pictures to annotations: what a model finds in them, kept as it comes, then written in a format.

>>> from pathlib import Path
>>> from boxless import Localizer, ModelFile
>>> from boxless.annotation import Wishes, annotate, read_inputs
>>> inputs = read_inputs(Path("pictures"), "folder")
>>> annotate(inputs, Path("annotations"), Localizer(ModelFile("mine.onnx", threads=1)), Wishes(format="coco"))
"""

from __future__ import annotations

from boxless.annotation.inputs import Input, read_inputs
from boxless.annotation.run import Done, Wishes, annotate

__all__ = ["Done", "Input", "Wishes", "annotate", "read_inputs"]
