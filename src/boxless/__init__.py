"""What is in a picture, and where, learned from class labels alone.

>>> import boxless
>>> found = boxless.Localizer().locate("cat.jpg")
>>> found.predictions[0].label, found.predictions[0].box
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from boxless._version import __version__
from boxless.errors import (
    BoxlessError,
    DatasetError,
    MissingExtraError,
    ModelFileError,
    NetworkError,
    PictureError,
    UnknownClassError,
    UnknownPresetError,
)

# ONNX Runtime reports to its makers unless this is set before it is imported, and nothing of boxless is imported before
# these lines. What the user set stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from boxless.export.from_frameworks import from_keras, from_torch
    from boxless.localizer import Localizer
    from boxless.maps.boxes import Box
    from boxless.models.card import Card
    from boxless.models.model_file import ModelFile
    from boxless.results import Localization, Prediction

__all__ = [
    "Box",
    "BoxlessError",
    "Card",
    "DatasetError",
    "Localization",
    "Localizer",
    "MissingExtraError",
    "ModelFile",
    "ModelFileError",
    "NetworkError",
    "PictureError",
    "Prediction",
    "UnknownClassError",
    "UnknownPresetError",
    "__version__",
    "from_keras",
    "from_torch",
]

# Where the names live that need NumPy, OpenCV or ONNX Runtime: imported when first asked for.
_HOMES = {
    "Box": "boxless.maps.boxes",
    "Card": "boxless.models.card",
    "Prediction": "boxless.results",
    "Localization": "boxless.results",
    "Localizer": "boxless.localizer",
    "ModelFile": "boxless.models.model_file",
    "from_keras": "boxless.export.from_frameworks",
    "from_torch": "boxless.export.from_frameworks",
}


if not TYPE_CHECKING:  # or type checkers would let any misspelt name pass

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'boxless' has no attribute '{name}'")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
