"""Turns a classifier that exists into a boxless model: its class maps are inside already, and are brought out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxless.card import Card
from boxless.errors import BoxlessError, NetworkError
from boxless.files import write_whole
from boxless.graph.assemble import NETWORK_PREFIX, GapNetwork, put_together
from boxless.graph.find import Found, find_head
from boxless.graph.flow import Flow, shapes
from boxless.graph.heads import FEATURES, Head, behind
from boxless.graph.mid_level import Layer, find_layers
from boxless.graph.preprocessing import Preprocessing, parse_preprocessing
from boxless.graph.proof import Asked, Proof, free_size, prove
from boxless.graph.scaling import scale_for_channels_last
from boxless.graph.source import Classifier, Layout, open_classifier
from boxless.presets import PRESETS, Preset

_ENTRY = "boxless_picture"
_TAIL_PREFIX = "tail/"
_LARGE = 4096


@dataclass(frozen=True)
class Attached:
    """What `attach` made.

    Attributes:
        path: of the boxless model.
        card: of it.
        head: what was found at the end of the classifier, in words, from the feature map to the logits.
        stages: names, strides and channels of the mid-level feature maps that maps are refined with.
        proof: what was measured before it was written.
        converted_from: the opset that the classifier had, if it had to be converted.
    """

    path: Path
    card: Card
    head: tuple[str, ...]
    stages: tuple[str, ...]
    proof: Proof
    converted_from: int | None


def attach(
    path: str | Path,
    out: str | Path,
    *,
    labels: Sequence[str] | None = None,
    preprocess: str | Preprocessing = "imagenet",
    layout: Layout | None = None,
    input_size: tuple[int, int] | None = None,
    output: str | None = None,
    allow_max_pool: bool = False,
    pictures: Sequence[Path] = (),
    licence: str = "unknown",
) -> Attached:
    """Makes a boxless model of an ONNX classifier that ends in global average pooling.

    The answer is kept: the network's own nodes compute the logits. An older opset is converted.

    Args:
        path: of the classifier.
        out: of the boxless model; written only if it proves right.
        labels: the class names, by index; "class 0" and so on where None.
        preprocess: imagenet, tf, keras-caffe, unit, none, or "mean=..,std=.."; see `parse_preprocessing`.
        layout: of its input, where the shape does not say.
        input_size: (height, width) that it was made for; what its input declares, or 224 x 224, where None.
        output: the name of the output that names the classes, where there are several.
        allow_max_pool: take a network with maximum pooling too.
        pictures: to prove it on, of the kind that the network knows; random ones where there are none.
        licence: of the weights, an SPDX identifier.

    Raises:
        NetworkError: if it cannot be done; the message says what was found and what to do. Nothing is written.
    """
    path, out = Path(path), Path(out)
    colours = parse_preprocessing(preprocess) if isinstance(preprocess, str) else preprocess
    classifier = open_classifier(path, layout, output)
    size = input_size or classifier.size or (224, 224)
    try:
        network, found, layers = _cut(classifier, size, colours, allow_max_pool)
        card = _card(path, network, found, size, colours, labels, licence)
        whole = put_together(network, card, size)
        if classifier.layout == "nhwc":
            scale_for_channels_last(whole.graph, exact=True)
    except BoxlessError as error:
        raise NetworkError(f"{path}: {error}") from None
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise NetworkError(f"{path}: its graph cannot be worked on ({type(error).__name__}: {reason})") from None
    words = _in_words(found)
    converted, stages = classifier.converted_from, tuple(f"stride {e.stride}, {e.channels} channels" for e in layers)
    asked = Asked(path, classifier.entry, classifier.output, found.logits, classifier.layout, colours)
    bare = out.with_name(f".{out.stem}.logits.onnx")
    _write_bare(classifier, path, found.logits, bare)
    del network, found, layers

    proofs: list[Proof] = []
    waiting = [(whole, classifier.model)]
    del whole, classifier

    def write(beside: Path) -> None:
        nonlocal card
        _save(*waiting.pop(), beside)
        fixed = not free_size(beside, size)
        if fixed:
            card = replace(card, fixed_size=size, presets=_fixed_presets(size))
            helper_model = onnx.load(beside)
            helper.set_model_props(helper_model, {"boxless": card.to_json()})
            onnx.save(helper_model, beside)
            del helper_model
        proofs.append(prove(asked, bare, beside, card, size, pictures))

    try:
        write_whole(out, write)
    finally:
        bare.unlink(missing_ok=True)
    return Attached(out, card, words, stages, proofs[0], converted)


def _write_bare(classifier: Classifier, path: Path, logits: str, out: Path) -> None:
    """Writes the classifier with its logits as the last output."""
    out.parent.mkdir(parents=True, exist_ok=True)
    value = helper.make_tensor_value_info(logits, TensorProto.FLOAT, None)
    more = onnx.ModelProto(graph=onnx.GraphProto(output=[value] if logits != classifier.output else []))
    if classifier.converted_from is None and not classifier.outside:
        # Protobuf messages end to end are one message, their lists joined: nothing is held in memory.
        shutil.copyfile(path, out)
        with out.open("ab") as file:
            file.write(more.SerializeToString())
        return
    classifier.model.graph.output.extend(more.graph.output)
    onnx.save(classifier.model, out)
    if more.graph.output:
        del classifier.model.graph.output[-1]


def _cut(
    classifier: Classifier, size: tuple[int, int], colours: Preprocessing, allow_max: bool
) -> tuple[GapNetwork, Found, tuple[Layer, ...]]:
    """The classifier, cut before its pooling, with its own nodes as the head."""
    graph, entry = classifier.model.graph, classifier.entry
    channels_first = classifier.layout == "nchw"
    shape = (1, 3, *size) if channels_first else (1, *size, 3)
    known = shapes(classifier.model, entry, shape)
    flow = Flow(graph, entry)
    found = find_head(flow, classifier.output, known, allow_max)
    features, turned = found.features, found.layout == "nhwc"
    maker = flow.maker.get(features)
    if turned and maker is not None and maker.op_type == "Transpose" and _perm(maker) == [0, 2, 3, 1]:
        features, turned = maker.input[0], False
    layers, grid = find_layers(flow, features, known, size, "nhwc" if turned else "nchw")

    part = onnx.GraphProto(name="network")
    part.input.append(helper.make_tensor_value_info(_ENTRY, TensorProto.FLOAT, ["N", 3, "h", "w"]))
    _enter(part, entry, colours.bgr, channels_first)
    needed = flow.nodes_to([found.features, features, *(layer.name for layer in layers)])
    part.node.extend(needed)
    names: dict[str, str] = {}
    for name, way in ((features, "nhwc" if turned else "nchw"), *((each.name, each.layout) for each in layers)):
        names[name] = name if way == "nchw" else f"{name}_boxless_planes"
        if way == "nhwc" and not any(names[name] in node.output for node in part.node):
            part.node.append(helper.make_node("Transpose", [name], [names[name]], perm=[0, 3, 1, 2]))
    used = {name for node in needed for name in node.input}
    part.initializer.extend(_hollow(tensor) for tensor in graph.initializer if tensor.name in used)
    for name in dict.fromkeys([*names.values(), found.features]):
        part.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    model = helper.make_model(part, opset_imports=classifier.model.opset_import, ir_version=10)

    return (
        GapNetwork(
            model=model,
            features=names[features],
            weight=np.zeros((0, 0), np.float32),
            bias=np.zeros(0, np.float32),
            mean=colours.mean,
            std=colours.std,
            layers=tuple(names[layer.name] for layer in layers),
            grid=names.get(grid, ""),
            head=_head(flow, found),
        ),
        found,
        layers,
    )


def _perm(node: onnx.NodeProto) -> list[int]:
    return [int(axis) for attribute in node.attribute if attribute.name == "perm" for axis in attribute.ints]


def _enter(part: onnx.GraphProto, entry: str, bgr: bool, channels_first: bool) -> None:
    """What leads from RGB planes to what the network takes."""
    name = _ENTRY
    if bgr:
        part.initializer.append(numpy_helper.from_array(np.array([2, 1, 0], np.int64), "boxless_bgr"))
        part.node.append(helper.make_node("Gather", [name, "boxless_bgr"], ["boxless_reversed"], axis=1))
        name = "boxless_reversed"
    if channels_first:
        part.node.append(helper.make_node("Identity", [name], [entry]))
    else:
        part.node.append(helper.make_node("Transpose", [name], [entry], perm=[0, 2, 3, 1]))


def _head(flow: Flow, found: Found) -> Head:
    """The pooling and all that follows, under names of their own."""
    pooled = found.pooling.output[0]
    own = [*flow.nodes_to(found.pooling.input[1:]), found.pooling, *found.tail.nodes]
    own = list({node.output[0]: node for node in own}.values())
    made = {name for node in own for name in node.output if name}
    constant = {name for node in own for name in node.input if name in flow.initializers}

    def renamed(name: str) -> str:
        if not name:
            return ""
        return f"{_TAIL_PREFIX}{name}" if name in made or name in constant else f"{NETWORK_PREFIX}{name}"

    logits = onnx.GraphProto()
    for node in own:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = ""
        copy.input[:] = [renamed(name) for name in node.input]
        copy.output[:] = [renamed(name) for name in node.output]
        if node is found.pooling and node.op_type == "AveragePool":  # over the whole map, whatever its size
            copy.op_type = "GlobalAveragePool"
            copy.ClearField("attribute")
        logits.node.append(copy)
    for name in sorted(constant):
        tensor = onnx.TensorProto()
        tensor.CopyFrom(flow.initializers[name])
        tensor.name = renamed(name)
        logits.initializer.append(tensor)
    stages, width = found.tail.stages, found.tail.stages[-1].width
    logits.initializer.append(numpy_helper.from_array(np.array([-1, width], np.int64), "tail/boxless_logits_shape"))
    logits.node.append(helper.make_node("Reshape", [renamed(found.logits), "tail/boxless_logits_shape"], ["logits"]))
    bends = [
        replace(
            bend,
            start=renamed(bend.start),
            end=renamed(bend.end),
            nodes=tuple(logits.node[_index(own, node)] for node in bend.nodes),
        )
        for bend in found.tail.bends
    ]
    scaled = [
        replace(stage, weights={None if s is None else renamed(s): matrix for s, matrix in stage.weights.items()})
        for stage in stages
    ]
    assert FEATURES not in made
    assert pooled in made
    return behind(logits, scaled, bends)


def _index(nodes: Sequence[onnx.NodeProto], node: onnx.NodeProto) -> int:
    return next(i for i, each in enumerate(nodes) if each.output[0] == node.output[0])


def _hollow(tensor: onnx.TensorProto) -> onnx.TensorProto:
    """The tensor, a large one without its numbers: they are moved when the model is whole, so are there once."""
    hollow = onnx.TensorProto()
    if np.prod(tensor.dims) <= _LARGE or not tensor.raw_data:
        hollow.CopyFrom(tensor)
    else:
        hollow.name, hollow.data_type, hollow.raw_data = tensor.name, tensor.data_type, b""
        hollow.dims.extend(tensor.dims)
    return hollow


def _save(whole: onnx.ModelProto, original: onnx.ModelProto, path: Path) -> None:
    """Writes the model, and behind it one by one the large tensors whose numbers the original still has.

    Protobuf messages end to end are one message, their lists joined; so no second copy is held in memory.
    """
    numbers = {f"{NETWORK_PREFIX}{tensor.name}": tensor for tensor in original.graph.initializer}
    hollow = [tensor for tensor in whole.graph.initializer if tensor.name in numbers and not _numbers_in(tensor)]
    names = [tensor.name for tensor in hollow]
    for tensor in hollow:
        whole.graph.initializer.remove(tensor)
    path.write_bytes(whole.SerializeToString())
    with path.open("ab") as file:
        for name in names:
            tensor = numbers[name]
            tensor.name = name
            file.write(onnx.ModelProto(graph=onnx.GraphProto(initializer=[tensor])).SerializeToString())


def _numbers_in(tensor: onnx.TensorProto) -> bool:
    return bool(np.prod(tensor.dims) <= _LARGE or tensor.raw_data or tensor.ByteSize() > np.prod(tensor.dims))


def _card(
    path: Path,
    network: GapNetwork,
    found: Found,
    size: tuple[int, int],
    colours: Preprocessing,
    labels: Sequence[str] | None,
    licence: str,
) -> Card:
    assert network.head is not None
    classes = network.head.classes
    if labels is not None and len(labels) != classes:
        raise NetworkError(f"{len(labels)} labels for {classes} classes (expected one a class, in their order)")
    side = round(float(np.sqrt(size[0] * size[1])))
    return Card(
        name=path.stem,
        labels=tuple(labels or (f"class {i}" for i in range(classes))),
        presets={
            name: replace(preset, sides=tuple(round(side * each / 224) for each in preset.sides))
            for name, preset in PRESETS.items()
        },
        preprocessing=f"{colours}; in the graph",
        licence=licence,
        source=f"attached to {path.name}",
        activation=found.activation or "softmax",
        maps="max-pooled" if found.max_pooled else "exact" if found.tail.exact else "linearised",
    )


def _fixed_presets(size: tuple[int, int]) -> dict[str, Preset]:
    """One look at the one size, by whichever name."""
    side = round(float(np.sqrt(size[0] * size[1])))
    return {name: replace(preset, sides=(side,)) for name, preset in PRESETS.items()}


def _in_words(found: Found) -> tuple[str, ...]:
    lines = [f"{found.pooling.op_type} over {found.features} ({found.layout})"]
    lines += [node.op_type for node in found.tail.nodes if node.op_type != "Constant"]
    lines.append(f"logits ({found.tail.stages[-1].width})" + (f", then {found.activation}" if found.activation else ""))
    return tuple(lines)
