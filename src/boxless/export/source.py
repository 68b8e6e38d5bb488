"""Opens a classifier as an ONNX file, or says why it cannot be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnx
from onnx import TensorProto, helper, inliner, version_converter
from onnx.external_data_helper import uses_external_data

from boxless.errors import NetworkError, first_line
from boxless.export.assemble import OPSET
from boxless.export.precision import in_float32
from boxless.models.card import METADATA_KEY

Layout = Literal["nchw", "nhwc"]

MAX_BYTES = 2**31 - 2**20
"""An ONNX file is one protobuf message, and those end at 2 GB."""

_MAX_NODES = 200_000
"""Of a graph, its functions written out. The largest classifiers have some 10,000."""

_MAX_DEPTH = 500
"""Functions of a graph that call each other, one in the other."""

_LARGE = 2**14
_CONTROL = frozenset(["If", "Loop", "Scan", "SequenceMap"])


@dataclass(frozen=True)
class Classifier:
    """A classifier as it came.

    Attributes:
        model: its graph, of opset 18 or later.
        entry: the name of the input that takes the image.
        output: the name of the classification output.
        layout: of the image tensor: channels first or last.
        size: (height, width) that the input declares; None where it leaves them open.
        converted_from: the opset it had, if it had to be converted.
        outside: whether its weights are in files beside it.
        rounded: what it computes in, "float16" or "int8", which was changed; None if that is float32 throughout.
    """

    model: onnx.ModelProto
    entry: str
    output: str
    layout: Layout
    size: tuple[int, int] | None
    converted_from: int | None
    outside: bool
    rounded: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the model is another than that of the file."""
        return self.converted_from is not None or self.outside or self.rounded is not None


def open_classifier(path: Path, layout: Layout | None = None, output: str | None = None) -> Classifier:
    """Opens a file, or raises a NetworkError that says what to do."""
    model, outside = _read(path)
    if any(each.key == METADATA_KEY for each in model.metadata_props):
        raise NetworkError(f"{path}: a boxless model already (use it: boxless locate IMAGES --model {path})")
    if model.functions:
        model = inliner.inline_local_functions(model)
    control = sorted({node.op_type for node in model.graph.node if node.op_type in _CONTROL})
    if control:
        raise NetworkError(
            f"{path}: dynamic control flow ({', '.join(control)}), so what is computed differs from image to "
            "image; export the network without it (fixed shapes, eval mode)"
        )
    rounded = in_float32(model)
    entry, layout, size = _entry(path, model, layout)
    model, converted_from = _converted(path, model)
    return Classifier(model, entry, _output(path, model, output), layout, size, converted_from, outside, rounded)


def has_card(path: Path) -> bool:
    """Whether a file is a boxless model, be it a damaged one."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's own, which depends on its build
        return False
    return any(each.key == METADATA_KEY for each in model.metadata_props)


def _read(path: Path) -> tuple[onnx.ModelProto, bool]:
    if not path.is_file():
        raise NetworkError(f"{path}: {'not a file' if path.exists() else 'no such file'} (expected an ONNX file)")
    if path.stat().st_size > MAX_BYTES:
        raise NetworkError(f"{path}: {path.stat().st_size / 1e9:.1f} GB (an ONNX file holds at most 2 GB)")
    model = _message(path)
    try:
        _check_functions(model)  # before anything goes through them
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None
    del model
    wrong: Exception | None = None
    try:
        # The file, while no message is held: the checker needs twice its size.
        onnx.checker.check_model(str(path))
    except (onnx.checker.ValidationError, ValueError, RuntimeError, OSError) as error:
        wrong = error
    model = _message(path)
    if not model.graph.node:
        raise NetworkError(f"{path}: not an ONNX file, or one with an empty graph")
    outside = {
        entry.value
        for tensor in model.graph.initializer
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    missing = sorted(name for name in outside if not (path.parent / name).is_file())
    if missing:
        raise NetworkError(f"{path}: its weights are in {', '.join(missing)}, missing beside it; put them there")
    if outside:
        total = sum((path.parent / name).stat().st_size for name in outside)
        if total > MAX_BYTES:
            raise NetworkError(f"{path}: {total / 1e9:.1f} GB of weights (a boxless model holds at most 2 GB)")
        try:
            onnx.load_external_data_for_model(model, str(path.parent))
        except (OSError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
            raise NetworkError(f"{path}: its weights cannot be read ({first_line(error)})") from None
    if wrong is not None and _sorted(model.graph):
        try:
            onnx.checker.check_model(model)
            wrong = None
        except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
            wrong = error
    if wrong is not None:
        raise NetworkError(f"{path}: not a valid ONNX graph ({first_line(wrong)})")
    return model, bool(outside)


def _check_functions(model: onnx.ModelProto) -> None:
    """Makes sure that a graph stays of a sane size when its functions are written out.

    A graph is a program from a stranger: small files can ask for endless work.
    """
    bodies = {(each.domain, each.name): each for each in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Iterable[onnx.NodeProto], above: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if len(above) > _MAX_DEPTH:
                raise NetworkError(f"its functions call each other more than {_MAX_DEPTH} deep")
            if key in above:
                raise NetworkError(f"its function {node.op_type} calls itself (expected a graph without recursion)")
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key].node, (*above, key))
            total += sizes.get(key, 1)
            for attribute in node.attribute:
                graphs = [attribute.g] if attribute.HasField("g") else attribute.graphs
                total += sum(size(graph.node, above) for graph in graphs)
        return total

    total = size(model.graph.node, ())
    if total > _MAX_NODES:
        raise NetworkError(f"its graph has {total:,} nodes with its functions written out (at most {_MAX_NODES:,})")


def _sorted(graph: onnx.GraphProto) -> bool:
    """Sorts nodes topologically, as ONNX demands and converters to float16 forget; whether that was needed."""
    known = {"", *(each.name for each in (*graph.initializer, *graph.input))}
    ordered: list[onnx.NodeProto] = []
    waiting, rounds = list(graph.node), 0
    while waiting:
        later = []
        for node in waiting:
            if known.issuperset(node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            return False
        waiting, rounds = later, rounds + 1
    copies = onnx.GraphProto(node=ordered).node
    del graph.node[:]
    graph.node.extend(copies)
    return rounds > 1


def _message(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path, load_external_data=False)
    except Exception:  # protobuf's own, which depends on its build
        raise NetworkError(f"{path}: not an ONNX file, or a damaged one") from None


def _entry(path: Path, model: onnx.ModelProto, layout: Layout | None) -> tuple[str, Layout, tuple[int, int] | None]:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise NetworkError(f"{path}: {len(inputs)} inputs ({names}; expected one, the image)")
    kind = inputs[0].type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]
    shape = ", ".join("?" if dim is None else str(dim) for dim in dims)
    if kind.elem_type != TensorProto.FLOAT:
        name = TensorProto.DataType.Name(kind.elem_type) if kind.elem_type else "no tensor"
        raise NetworkError(f"{path}: its input {inputs[0].name} is {name.lower()} (expected float32); export it so")
    if len(dims) != 4:
        raise NetworkError(f"{path}: its input {inputs[0].name} is ({shape}) (expected images, of 4 dimensions)")
    if layout is None:
        fits: list[Layout] = []
        fits += ["nchw"] if dims[1] == 3 else []
        fits += ["nhwc"] if dims[3] == 3 else []
        if len(fits) != 1 and 1 in (dims[1], dims[3]):
            raise NetworkError(f"{path}: its input {inputs[0].name} is ({shape}), grey images (expected 3 channels)")
        if len(fits) != 1:
            raise NetworkError(f"{path}: its input is ({shape}): say which are the channels, --layout nchw or nhwc")
        layout = fits[0]
    last, first = (dims[1], dims[3]) if layout == "nhwc" else (dims[3], dims[1])
    if last == 3 and first != 3:
        raise NetworkError(f"{path}: its input is ({shape}), so its channels are not where --layout {layout} says")
    channels = dims[1] if layout == "nchw" else dims[3]
    if channels not in (3, None):
        raise NetworkError(f"{path}: its input is ({shape}), with {channels} channels as {layout} (expected 3)")
    if dims[0] not in (1, None):
        raise NetworkError(f"{path}: it takes {dims[0]} images at a time; export it with batch 1 or a dynamic one")
    height, width = (dims[2], dims[3]) if layout == "nchw" else (dims[1], dims[2])
    return inputs[0].name, layout, (height, width) if height and width else None


def _output(path: Path, model: onnx.ModelProto, wanted: str | None) -> str:
    names = [value.name for value in model.graph.output]
    if wanted is not None and wanted not in names:
        raise NetworkError(f"{path}: no output '{wanted}' (it has {', '.join(names)})")
    if wanted is None and len(names) != 1:
        raise NetworkError(f"{path}: {len(names)} outputs ({', '.join(names)}); choose one with --output NAME")
    return wanted or names[0]


def _converted(path: Path, model: onnx.ModelProto) -> tuple[onnx.ModelProto, int | None]:
    """The model in opset 18 or later, and the opset it had if that was older."""
    version = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
    if version >= OPSET:
        return model, None
    others = [each for each in model.opset_import if each.domain not in ("", "ai.onnx")]
    try:
        weights = _without_large_weights(model)
        converted = version_converter.convert_version(model, OPSET)
        _with_weights(converted, weights)
        converted.opset_import.extend(each for each in others if each not in converted.opset_import)
        return converted, version
    except (RuntimeError, ValueError, IndexError) as error:
        raise NetworkError(
            f"{path}: opset {version} (expected {OPSET} or later), and it cannot be converted "
            f"({first_line(error)}); export it again with opset {OPSET}"
        ) from None


def _without_large_weights(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """Makes large weights inputs, and returns them: the converter would copy them several times."""
    large = {tensor.name: tensor for tensor in model.graph.initializer if tensor.ByteSize() > _LARGE}
    rest = [tensor for tensor in model.graph.initializer if tensor.name not in large]
    declared = {value.name for value in model.graph.input}
    del model.graph.initializer[:]
    model.graph.initializer.extend(rest)
    for name, tensor in large.items():
        if name not in declared:
            model.graph.input.append(helper.make_tensor_value_info(name, tensor.data_type, tensor.dims))
    return large


def _with_weights(model: onnx.ModelProto, weights: dict[str, onnx.TensorProto]) -> None:
    """Takes `_without_large_weights` back."""
    for value in [each for each in model.graph.input if each.name in weights]:
        model.graph.input.remove(value)
    while weights:
        model.graph.initializer.append(weights.popitem()[1])
