"""Attaching to a classifier, whatever its file holds, and the names of its classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import NetworkError
from boxless.system.extras import require

if TYPE_CHECKING:
    from boxless.export.attachment import Attached

_PYTORCH = (
    "a PyTorch checkpoint, which holds weights and maybe code, but no graph (expected ONNX or Keras). Load it in "
    'Python with the class it was made of, then: boxless.from_torch(module, "FILE.onnx")'
)
_OTHERS = {
    ".pt": _PYTORCH,
    ".pth": _PYTORCH,
    ".ckpt": _PYTORCH,
    ".bin": _PYTORCH,
    ".safetensors": _PYTORCH,
    ".pt2": "an exported PyTorch program (expected ONNX or Keras): write it with torch.onnx.export",
    ".tflite": "a TensorFlow Lite model (expected ONNX or Keras): attach the Keras model that it was made of",
    ".pb": "a TensorFlow graph (expected ONNX or Keras): python -m tf2onnx.convert makes ONNX of a saved model",
}


def attach_file(path: str | Path, out: Path, **options: Any) -> Attached:  # noqa: ANN401
    """`attach`, `from_keras` or `attach_published`, by what a classifier's file holds, or by its name.

    Args:
        path: of the classifier: ONNX, or a saved Keras model; or the name of a published one, such as `keras:ResNet50`.
        out: of the boxless model.
        options: of `boxless.export.attach`.

    Raises:
        NetworkError: if it is neither, with what to do for files of other frameworks; or as `attach` says.
    """
    require("graph", "attaching")
    from boxless.export.assemble import keep_original
    from boxless.export.attachment import attach
    from boxless.export.from_frameworks import from_keras
    from boxless.export.keras_files import is_keras_file
    from boxless.export.published import attach_published, is_published

    name, path = str(path), Path(path)
    if is_published(name):
        return attach_published(name, out, **options)
    if ":" in name and not path.is_file():
        raise NetworkError(
            f"{name}: no such file (published classifiers are keras:NAME, torchvision:NAME, timm:NAME, hf:ORG/NAME)"
        )
    keep_original(path, out)
    options = {key: value for key, value in options.items() if value is not None}
    if is_keras_file(path):
        return from_keras(path, out, **options)
    if path.is_file() and (what := _OTHERS.get(path.suffix.lower())):
        raise NetworkError(f"{path}: {what}")
    return attach(path, out, **options)


def read_labels(path: Path) -> list[str]:
    """Class names by index: one a line, or a JSON list, or a JSON object of index to name.

    Raises:
        NetworkError: if the file is missing or is none of these.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NetworkError(f"{path}: labels cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NetworkError(f"{path}: labels that are not text (expected UTF-8)") from None
    if not text.lstrip().startswith(("[", "{")):
        return [line.strip() for line in text.strip().splitlines()]
    try:
        data = json.loads(text)
        if isinstance(data, dict):
            data = [data[str(i)] for i in range(len(data))]
        # ImageNet's own index file has [id, name] for each class.
        return [str(each[-1] if isinstance(each, list) else each) for each in data]
    except (ValueError, KeyError, IndexError):
        raise NetworkError(f"{path}: labels as damaged JSON (expected a list, or an object of index to name)") from None
