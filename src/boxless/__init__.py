"""What is in an image, and where, learned from class labels alone.

>>> import boxless
>>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
>>> found.labels, found.xyxy.round().tolist()
(('espresso',), [[87.0, 9.0, 462.0, 295.0]])
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from boxless._version import __version__
from boxless.errors import (
    BoxlessError,
    DatasetError,
    ImageError,
    MissingExtraError,
    ModelFileError,
    NetworkError,
    UnknownClassError,
    UnknownPresetError,
)

# ONNX Runtime reports to its makers unless this is set before it is imported, and nothing of boxless is imported before
# these lines. What the user set stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from boxless.export.from_frameworks import from_keras, from_torch
    from boxless.localizer import Localizer
    from boxless.locate_options import LocateOptions
    from boxless.maps.boxes import Box
    from boxless.models.card import Card
    from boxless.models.model_file import ModelFile
    from boxless.results import Localization, Prediction
    from boxless.tasks import Learned, attach, evaluate, fit, train

__all__ = [
    "Box",
    "BoxlessError",
    "Card",
    "DatasetError",
    "ImageError",
    "Learned",
    "Localization",
    "Localizer",
    "LocateOptions",
    "MissingExtraError",
    "ModelFile",
    "ModelFileError",
    "NetworkError",
    "Prediction",
    "UnknownClassError",
    "UnknownPresetError",
    "__version__",
    "attach",
    "evaluate",
    "fit",
    "from_keras",
    "from_torch",
    "train",
]

# Where the names live that need NumPy, OpenCV or ONNX Runtime: imported when first asked for.
_HOMES = {
    "Box": "boxless.maps.boxes",
    "Card": "boxless.models.card",
    "Prediction": "boxless.results",
    "Localization": "boxless.results",
    "Learned": "boxless.tasks",
    "Localizer": "boxless.localizer",
    "LocateOptions": "boxless.locate_options",
    "ModelFile": "boxless.models.model_file",
    "attach": "boxless.tasks",
    "evaluate": "boxless.tasks",
    "fit": "boxless.tasks",
    "from_keras": "boxless.export.from_frameworks",
    "from_torch": "boxless.export.from_frameworks",
    "train": "boxless.tasks",
}


if not TYPE_CHECKING:  # or type checkers would let any misspelt name pass

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'boxless' has no attribute '{name}'")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
