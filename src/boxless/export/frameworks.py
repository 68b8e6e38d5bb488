"""Keras and PyTorch models as ONNX. The frameworks are imported when used."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import NetworkError
from boxless.export.assemble import OPSET
from boxless.export.find import flattened_head
from boxless.system.extras import missing_packages
from boxless.system.native_streams import quiet_import, silenced

_LARGE_HEAD = 10_000_000
"""Weights of a fully connected layer."""


def export_keras(model: Any, file: Path, output: str | None = None) -> None:  # noqa: ANN401
    """Writes a model of Keras 3 or tf_keras, of the TensorFlow backend, as ONNX: one output by its name, or all.

    Raises:
        NetworkError: if it takes no images, has no such output, or flattens its feature map into a large fully
            connected layer.
    """
    tensorflow = framework("tensorflow", "tensorflow-cpu")
    framework("tf2onnx", "tf2onnx")
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise NetworkError(f"a Keras model with the input {shape} (expected one of images, (None, height, width, 3))")
    names = list(getattr(model, "output_names", None) or ["output"])
    if output is not None and output not in names:
        raise NetworkError(f"no output '{output}' (it has {', '.join(names)})")
    _check_head(model)
    _teach_erfc()
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and getattr(layer, "mean", None) is not None:
            # As tensors they would be exported as inputs of the graph.
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)

    def one(outputs: Any) -> Any:  # noqa: ANN401
        if output is None or not isinstance(outputs, (dict, list, tuple)):
            return outputs
        return outputs[output] if isinstance(outputs, dict) else outputs[names.index(output)]

    # Padding is then worked out as images come, so other sizes than the declared one can be seen. What
    # Keras declares is checked by calling the model, not by its `call`.
    free = (shape[0], None, None, shape[3])
    function = tensorflow.function(lambda images: one(model.call(images, training=False)))
    try:
        _convert(function, free, file)
    # A network that needs its size fails wherever it does.
    except Exception:
        function = tensorflow.function(lambda images: one(model(images, training=False)))
        _convert(function, shape, file)


def _check_head(model: Any) -> None:  # noqa: ANN401
    """Refuses a large flattened head before the export, which takes 20 GB of memory for VGG16."""
    layers: dict[str, list[Any]] = {}
    for layer in model._flatten_layers():
        layers.setdefault(type(layer).__name__, []).append(layer)
    if "GlobalAveragePooling2D" in layers:
        return
    dense = [layer for layer in layers.get("Dense", []) if layer.built]
    for flatten in layers.get("Flatten", []):
        try:
            shape = tuple(flatten.input.shape)
        except (AttributeError, ValueError):  # it is used several times, or not at all
            continue
        weights = [
            each.kernel.shape for each in dense if None not in shape[1:] and each.kernel.shape[0] == prod(shape[1:])
        ]
        if len(shape) == 4 and prod(shape[1:3]) > 1 and any(prod(each) > _LARGE_HEAD for each in weights):
            names = ", ".join(f"{each.name} {tuple(each.kernel.shape)}" for each in dense)
            raise NetworkError(flattened_head(f"{flatten.name} {shape}", names))


def _convert(function: Any, shape: tuple[int | None, ...], file: Path) -> None:  # noqa: ANN401
    tensorflow, converter = import_module("tensorflow"), import_module("tf2onnx")
    signature = [tensorflow.TensorSpec(shape, tensorflow.float32, name="image")]
    eager = tensorflow.config.functions_run_eagerly()
    # Functions within the function (Keras compiles some convolutions apart) are then traced into it.
    tensorflow.config.run_functions_eagerly(True)
    try:
        converter.convert.from_function(function, input_signature=signature, opset=OPSET, output_path=str(file))
    finally:
        tensorflow.config.run_functions_eagerly(eager)


def export_torch(module: Any, file: Path, size: tuple[int, int]) -> None:  # noqa: ANN401
    """Writes a PyTorch module as ONNX, for images of any size if it can be."""
    torch = framework("torch", "torch")

    def write(free: dict[int, str]) -> None:
        torch.onnx.export(
            module,
            (torch.zeros(1, 3, *size),),
            str(file),
            dynamo=False,  # needs no further package, and folds batch normalisation into convolutions
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": free},
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


def logits_only(network: Any) -> Any:  # noqa: ANN401
    """A classifier of Hugging Face as a PyTorch module that returns its logits alone."""
    torch = framework("torch", "torch")

    class Logits(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:  # noqa: ANN401
            # By position: not every type calls them `logits`.
            return self.network(pixel_values=pixel_values, return_dict=False)[0]

    return Logits()


def framework(name: str, *packages: str) -> Any:  # noqa: ANN401
    """A framework, imported; a MissingExtraError says which `packages` bring it."""
    if name == "tf2onnx":
        # tf2onnx 1.17 uses names that NumPy 2 has not.
        for old, new in (("object", object), ("bool", bool)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if not hasattr(np, old):
                    setattr(np, old, new)
    try:
        return quiet_import(name)
    except ImportError:
        raise missing_packages("this", name, *packages) from None


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
    """Exporters talk a lot, and PyTorch prints a graph that it cannot export, past Python."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), silenced(1):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
