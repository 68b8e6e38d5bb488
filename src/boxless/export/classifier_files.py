"""Attaching to a classifier, whatever its file holds."""

from __future__ import annotations

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

    Example:
        >>> attach_file(Path("network.onnx"), Path("network-boxless.onnx"), preprocess="tf").card.maps  # doctest: +SKIP
        'exact'
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
