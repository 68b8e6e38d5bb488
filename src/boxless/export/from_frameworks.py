"""From a Keras or PyTorch model to a boxless one.

What works on ONNX graphs, and the frameworks, are imported when used: these names are there on every installation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import BoxlessError, NetworkError, first_line
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


def keep_original(path: Path, out: Path) -> None:
    """Makes sure that a classifier's own file is not overwritten.

    Raises:
        NetworkError: if `out` is that file.
    """
    if out.exists() and path.exists() and out.samefile(path):
        raise NetworkError(f"{out}: the classifier itself, which would be lost (expected another file to write)")


def attach_file(path: str | Path, out: Path, **options: Any) -> Attached:  # noqa: ANN401
    """`attach`, `from_keras` or `attach_published`, by what a classifier's file holds, or by its name.

    Args:
        path: of the classifier: ONNX, or a saved Keras model; or the name of a published one, such as `keras:ResNet50`.
        out: of the boxless model.
        options: of `boxless.export.attach`.

    Returns:
        What was made.

    Raises:
        NetworkError: if it is neither, with what to do for files of other frameworks; or as `attach` says.

    Example:
        >>> attach_file(Path("network.onnx"), Path("network-boxless.onnx"), preprocess="tf").card.maps  # doctest: +SKIP
        'exact'
    """
    require("graph", "attaching")
    from boxless.export.attachment import attach
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


def from_keras(model: Any, out: str | Path, *, name: str | None = None, **options: Any) -> Attached:  # noqa: ANN401
    """Makes a boxless model of a Keras classifier; see `boxless.export.attach`.

    Args:
        model: a Keras model of the TensorFlow backend, or the path of a saved one.
        out: of the boxless model.
        name: of it; that of the Keras model or its file where None.
        options: of `boxless.export.attach`.

    Returns:
        The path of the model, its card, and what was verified.

    Raises:
        MissingExtraError: if keras, tensorflow or tf2onnx is not installed.
        NetworkError: if it cannot be exported, or not be attached to.

    Example:
        >>> from_keras("classifier.keras", "mine.onnx", preprocess="tf").card.maps  # doctest: +SKIP
        'exact'
    """
    require("graph", "boxless.from_keras")
    if isinstance(model, (str, Path)) and not Path(model).is_file():
        raise NetworkError(f"{model}: no such file")
    from boxless.export.frameworks import export_keras, framework
    from boxless.export.keras_files import load_keras_file

    keras = framework("keras", "keras", "tensorflow-cpu", "tf2onnx")
    if isinstance(model, (str, Path)):
        name = name or Path(model).stem
        model = load_keras_file(Path(model), keras)
    else:
        name = name or str(getattr(model, "name", "keras"))
    declared = getattr(model, "input_shape", None)
    if isinstance(declared, tuple) and len(declared) == 4 and all(declared[1:3]):
        options["input_size"] = options.get("input_size") or declared[1:3]
    output = options.pop("output", None)  # by the name that Keras knows
    names = getattr(model, "output_names", None) or ()
    if output is None and len(names) > 1:
        raise NetworkError(f"{len(names)} outputs ({', '.join(names)}); choose one with --output NAME")
    return _attached(name, lambda file: export_keras(model, file, output), out, options)


def from_torch(
    module: Any,  # noqa: ANN401
    out: str | Path,
    example_size: tuple[int, int] = (224, 224),
    *,
    name: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Attached:
    """Makes a boxless model of a PyTorch classifier; see `boxless.export.attach`.

    Args:
        module: a `torch.nn.Module` that takes float32 (N, 3, h, w); exported in evaluation mode, and given back
            in the mode it was in.
        out: of the boxless model.
        example_size: (height, width) of the picture that it is exported with.
        name: of the boxless model; that of the module's class where None.
        options: of `boxless.export.attach`.

    Returns:
        The path of the model, its card, and what was verified.

    Raises:
        MissingExtraError: if torch is not installed.
        NetworkError: if it cannot be exported, or not be attached to.

    Example:
        >>> from_torch(torchvision.models.resnet50(weights="DEFAULT"), "mine.onnx").card.maps  # doctest: +SKIP
        'exact'
    """
    require("graph", "boxless.from_torch")
    from boxless.export.frameworks import export_torch, framework

    framework("torch", "torch")
    options.setdefault("input_size", example_size)
    name = name or type(module).__name__.lower()
    return _attached(name, lambda file: export_torch(module, file, example_size), out, options)


def _attached(name: str, export: Any, out: str | Path, options: dict[str, Any]) -> Attached:  # noqa: ANN401
    from boxless.export.attachment import attach
    from boxless.export.frameworks import quiet

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.onnx"
        try:
            with quiet():
                export(file)
        except NetworkError as error:
            raise NetworkError(f"{name}: {error}") from None
        except BoxlessError:
            raise
        # Exporters raise nearly anything.
        except Exception as error:
            raise NetworkError(f"{name}: it cannot be exported to ONNX ({first_line(error)})") from None
        try:
            return attach(file, out, **options)
        except NetworkError as error:
            raise NetworkError(str(error).replace(f"{file}", name)) from None
