"""From a Keras or PyTorch model to a boxless one, by way of ONNX. The frameworks are imported when used."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import BoxlessError, MissingExtraError, NetworkError, first_line
from boxless.graph.assemble import OPSET
from boxless.graph.attachment import Attached, attach

_KERAS_SUFFIXES = frozenset([".keras", ".h5", ".hdf5"])


def attach_file(path: Path, out: Path, **options: Any) -> Attached:  # noqa: ANN401
    """`attach` or `from_keras`, by the suffix of the classifier's file."""
    return (from_keras if path.suffix.lower() in _KERAS_SUFFIXES else attach)(path, out, **options)


def from_keras(model: Any, out: str | Path, **options: Any) -> Attached:  # noqa: ANN401
    """Makes a boxless model of a Keras classifier; see `boxless.graph.attach`.

    Args:
        model: a Keras model of the TensorFlow backend, or the path of a saved one.
        out: of the boxless model.
        options: of `boxless.graph.attach`.

    Raises:
        MissingExtraError: if keras, tensorflow or tf2onnx is not installed.
        NetworkError: if it cannot be exported, or not be attached to.
    """
    if isinstance(model, (str, Path)) and not Path(model).is_file():
        raise NetworkError(f"{model}: no such file")
    keras = _framework("keras", "keras tensorflow-cpu tf2onnx")
    if isinstance(model, (str, Path)):
        path = Path(model)
        try:
            model = keras.saving.load_model(path, compile=False)
        # Keras raises nearly anything on what it cannot load.
        except Exception as error:
            raise NetworkError(f"{path}: Keras cannot load it ({first_line(error)})") from None
        name = path.stem
    else:
        name = getattr(model, "name", "keras")
    declared = getattr(model, "input_shape", None)
    if isinstance(declared, tuple) and len(declared) == 4 and all(declared[1:3]):
        options["input_size"] = options.get("input_size") or declared[1:3]
    return _attached(name, lambda file: export_keras(model, file), out, options)


def export_keras(model: Any, file: Path) -> None:  # noqa: ANN401
    """Writes a Keras model of the TensorFlow backend as ONNX."""
    tensorflow = _framework("tensorflow", "tensorflow-cpu")
    _framework("tf2onnx", "tf2onnx")
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise NetworkError(f"a Keras model with the input {shape} (expected one of pictures, (None, height, width, 3))")
    _teach_erfc()
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and getattr(layer, "mean", None) is not None:
            # As tensors they would be exported as inputs of the graph.
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    # Padding is then worked out as pictures come, so other sizes than the declared one can be looked at. What
    # Keras declares is checked by calling the model, not by its `call`.
    free = (shape[0], None, None, shape[3])
    function = tensorflow.function(lambda pictures: model.call(pictures, training=False))
    try:
        _convert(function, free, file)
    # A network that needs its size fails wherever it does.
    except Exception:
        function = tensorflow.function(lambda pictures: model(pictures, training=False))
        _convert(function, shape, file)


def _convert(function: Any, shape: tuple[int | None, ...], file: Path) -> None:  # noqa: ANN401
    tensorflow, converter = import_module("tensorflow"), import_module("tf2onnx")
    signature = [tensorflow.TensorSpec(shape, tensorflow.float32, name="picture")]
    eager = tensorflow.config.functions_run_eagerly()
    # Functions within the function (Keras compiles some convolutions apart) are then traced into it.
    tensorflow.config.run_functions_eagerly(True)
    try:
        converter.convert.from_function(function, input_signature=signature, opset=OPSET, output_path=str(file))
    finally:
        tensorflow.config.run_functions_eagerly(eager)


def from_torch(module: Any, out: str | Path, example_size: tuple[int, int] = (224, 224), **options: Any) -> Attached:  # noqa: ANN401
    """Makes a boxless model of a PyTorch classifier; see `boxless.graph.attach`.

    Args:
        module: a `torch.nn.Module` that takes float32 (N, 3, h, w); exported in evaluation mode, and given back
            in the mode it was in.
        out: of the boxless model.
        example_size: (height, width) of the picture that it is exported with.
        options: of `boxless.graph.attach`.

    Raises:
        MissingExtraError: if torch is not installed.
        NetworkError: if it cannot be exported, or not be attached to.
    """
    _framework("torch", "torch")
    options.setdefault("input_size", example_size)
    name = type(module).__name__.lower()
    return _attached(name, lambda file: export_torch(module, file, example_size), out, options)


def export_torch(module: Any, file: Path, size: tuple[int, int]) -> None:  # noqa: ANN401
    """Writes a PyTorch module as ONNX, for pictures of any size if it can be."""
    torch = _framework("torch", "torch")

    def write(free: dict[int, str]) -> None:
        torch.onnx.export(
            module,
            (torch.zeros(1, 3, *size),),
            str(file),
            dynamo=False,  # needs no further package, and folds batch normalisation into convolutions
            opset_version=OPSET,
            input_names=["picture"],
            output_names=["logits"],
            dynamic_axes={"picture": free},
        )

    training = module.training
    module.eval()
    # VGG16 pools to 7 x 7 whatever comes, which has no ONNX; trying would print the whole graph.
    pools = [each for each in module.modules() if isinstance(each, torch.nn.AdaptiveAvgPool2d)]
    try:
        if all(each.output_size in (1, (1, 1), [1, 1]) for each in pools):
            with contextlib.suppress(Exception):  # what needs its size fails wherever it does
                write({0: "N", 2: "h", 3: "w"})
                return
        write({0: "N"})
    finally:
        module.train(training)


def _attached(name: str, export: Any, out: str | Path, options: dict[str, Any]) -> Attached:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.onnx"
        try:
            with quiet():
                export(file)
        except BoxlessError:
            raise
        # Exporters raise nearly anything.
        except Exception as error:
            raise NetworkError(f"{name}: it cannot be exported to ONNX ({first_line(error)})") from None
        try:
            return attach(file, out, **options)
        except NetworkError as error:
            raise NetworkError(str(error).replace(f"{file}", name)) from None


def _framework(name: str, packages: str) -> Any:  # noqa: ANN401
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on processors are no one's question
    if name == "tf2onnx":
        # tf2onnx 1.17 uses names that NumPy 2 has not.
        for old, new in (("object", object), ("bool", bool)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if not hasattr(np, old):
                    setattr(np, old, new)
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtraError(f"this needs {name}, which is not installed: pip install {packages}") from None


def _teach_erfc() -> None:
    """tf2onnx 1.17 does not know Erfc, of which Keras makes GELU: 1 - erf."""

    def version_9(_: Any, /, context: Any, node: Any, **__: Any) -> None:  # noqa: ANN401
        name = import_module("tf2onnx.utils").make_name(node.name)
        one = context.make_const(f"{name}_one", np.array(1, np.float32))
        erf = context.make_node("Erf", [node.input[0]], name=f"{name}_erf")
        shapes, kinds = node.output_shapes, node.output_dtypes
        context.remove_node(node.name)
        context.make_node(
            "Sub", [one.output[0], erf.output[0]], name=node.name, outputs=node.output, shapes=shapes, dtypes=kinds
        )

    handler = type("Erfc", (), {"version_9": classmethod(version_9)})
    import_module("tf2onnx.handler").tf_op("Erfc")(handler)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Exporters talk a lot."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
