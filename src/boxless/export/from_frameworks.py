"""From a Keras or PyTorch model to a boxless one.

What works on ONNX graphs, and the frameworks, are imported when used: these names are there on every installation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import BoxlessError, NetworkError, first_line
from boxless.system.arguments import checked
from boxless.system.extras import require

if TYPE_CHECKING:
    from boxless.export.attachment import Attached


@checked
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


@checked
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
        example_size: (height, width) of the image that it is exported with.
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
