"""Turns a classifier that exists into a boxless model: its class maps are inside already, and are brought out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from boxless.errors import BoxlessError, NetworkError, first_line
from boxless.export.assemble import assemble, keep_original, scale_for_channels_last, write_card
from boxless.export.cut import cut, head_alone
from boxless.export.find import Found
from boxless.export.preprocessing import Preprocessing, parse_preprocessing
from boxless.export.proof import Asked, Proof, free_size, prove
from boxless.export.source import Layout, open_classifier
from boxless.export.weights import save_bare, save_whole
from boxless.models.card import Activation, Card
from boxless.models.presets import PRESETS
from boxless.system.arguments import checked
from boxless.system.files import work_folder

MAX_PIXELS = 2048 * 2048
"""Of what a classifier takes."""


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
        rounded: what the classifier computes in, "float16" or "int8", if that is not float32.
    """

    path: Path
    card: Card
    head: tuple[str, ...]
    stages: tuple[str, ...]
    proof: Proof
    converted_from: int | None
    rounded: str | None = None


@checked
def attach(
    path: str | Path,
    out: str | Path,
    *,
    labels: Sequence[str] | None = None,
    preprocess: str | Preprocessing = "imagenet",
    layout: Layout | None = None,
    input_size: tuple[int, int] | None = None,
    output: str | None = None,
    activation: Activation | None = None,
    allow_max_pool: bool = False,
    images: Sequence[Path] = (),
    licence: str = "unknown",
) -> Attached:
    """Makes a boxless model of an ONNX classifier that ends in global average pooling.

    Its predictions stay the same: the network's own nodes compute the logits. An older opset is converted.

    Args:
        path: the classifier's file.
        out: the boxless model's file; written only if it passes the checks.
        labels: the class names, by index; "class 0" and so on if None.
        preprocess: imagenet, tf, keras-caffe, unit, none, or "mean=..,std=..", of 0-255 or 0-1; see
            `parse_preprocessing`.
        layout: the layout of its input, if the shape does not show it.
        input_size: (height, width) that it was trained at; if None, the declared one, or 224 x 224.
        output: the name of the classification output, if there are several outputs.
        activation: turns its logits into probabilities: softmax (one class per image), sigmoid (multi-label), or none
            (they are probabilities). If None, the activation that the network ends in; if it has none, sigmoid for a
            single logit, and softmax for several.
        allow_max_pool: whether to accept a network with max pooling too.
        images: images for the checks, of the kind that the network knows; random ones if there are none.
        licence: the licence of the weights, an SPDX identifier.

    Returns:
        The path of the model, its card, and what was verified.

    Raises:
        NetworkError: if the classifier cannot be attached; the message says what was found and what to do. Nothing is
            written.
        ArgumentError: if an argument is of another type.

    Example:
        >>> attach("resnet50.onnx", "mine.onnx", preprocess="imagenet").card.maps  # doctest: +SKIP
        'exact'
    """
    path, out = Path(path), Path(out)
    colours = parse_preprocessing(preprocess) if isinstance(preprocess, str) else preprocess
    keep_original(path, out)
    classifier = open_classifier(path, layout, output)
    size = input_size or classifier.size or (224, 224)
    try:
        _check_size(size)
        network, found, layers = cut(classifier, size, colours, allow_max_pool)
        card = _card(path, found, size, colours, labels, licence, activation)
        linearised = card.maps == "linearised"
        alone = head_alone(network.head, found, network.model.opset_import) if linearised else None
        whole = assemble(network, card)
        if classifier.layout == "nhwc":
            scale_for_channels_last(whole.graph, exact=True)
    except BoxlessError as error:
        raise NetworkError(f"{path}: {error}") from None
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        kind = type(error).__name__
        raise NetworkError(f"{path}: its graph cannot be worked on ({kind}: {first_line(error)})") from None
    words = _in_words(found)
    converted, stages = classifier.converted_from, tuple(f"stride {e.stride}, {e.channels} channels" for e in layers)
    asked = Asked(
        path, classifier.entry, classifier.output, found.logits, classifier.layout, colours, classifier.rounded
    )
    wanted = [found.logits] + ([alone.features] if alone else [])
    try:
        with work_folder(out) as folder:
            bare, beside = folder / "logits.onnx", folder / out.name
            save_bare(classifier, path, wanted, bare)
            save_whole(whole, classifier.model, beside)
            # Nothing but the files is there while they are proved.
            del whole, classifier, network, found, layers
            if not free_size(beside, size):
                card = _fixed(card, size)
                write_card(beside, card)
            proof = prove(asked, bare, beside, card, size, images, alone)
            beside.replace(out)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None
    except OSError as error:
        raise NetworkError(f"{out}: it cannot be written ({error.strerror})") from None
    return Attached(out, card, words, stages, proof, converted, asked.rounded)


def _check_size(size: tuple[int, int]) -> None:
    """Makes sure that a classifier's images are of a size that can be shown to it."""
    if min(size) < 1:
        raise NetworkError(f"input size {size[0]} x {size[1]} (expected a height and a width in pixels)")
    if size[0] * size[1] > MAX_PIXELS:
        side = math.isqrt(MAX_PIXELS)
        raise NetworkError(
            f"it takes images of {size[0]} x {size[1]} (at most {side} x {side} pixels); export it for smaller ones, "
            "or say a smaller size with --input-size"
        )


def _card(
    path: Path,
    found: Found,
    size: tuple[int, int],
    colours: Preprocessing,
    labels: Sequence[str] | None,
    licence: str,
    wanted: Activation | None,
) -> Card:
    classes = found.tail.stages[-1].width
    if labels is not None and len(labels) != classes:
        raise NetworkError(f"{len(labels)} labels for {classes} classes (expected one a class, in their order)")
    activation = wanted or found.activation or ("sigmoid" if classes == 1 else "softmax")
    if classes == 1 and activation == "softmax":
        raise NetworkError(
            "a softmax over a single class, which is 100 % whatever the image shows (expected a sigmoid: attach with "
            "--activation sigmoid)"
        )
    # Nobody has shown it images yet: what is half as probable as by guessing is hardly there.
    if activation == "softmax":
        guess, words = 0.5 / classes, "half of what guessing gives"
    else:
        guess, words = (0.5, "a default for one class") if classes == 1 else (0.1, "a default")
    return Card(
        name=path.stem,
        labels=tuple(labels or (f"class {i}" for i in range(classes))),
        presets={
            name: replace(
                preset,
                scales=tuple(round(_side(size) * each / 224) for each in preset.scales),
                min_probability=guess,
                detection_set_on=words,
            )
            for name, preset in PRESETS.items()
        },
        preprocessing=f"{colours}; in the graph",
        licence=licence,
        source=f"attached to {path.name}",
        activation=activation,
        maps="max-pooled" if found.pooling.maximum else "exact" if found.tail.exact else "linearised",
    )


def _fixed(card: Card, size: tuple[int, int]) -> Card:
    """The same presets, each with one pass at the fixed input size."""
    presets = {name: replace(preset, scales=(_side(size),)) for name, preset in card.presets.items()}
    return replace(card, fixed_size=size, presets=presets)


def _side(size: tuple[int, int]) -> int:
    return round(math.sqrt(size[0] * size[1]))


def _in_words(found: Found) -> tuple[str, ...]:
    lines = [f"{found.pooling.words} over {found.pooling.features} ({found.pooling.layout})"]
    quiet = ("Constant", "Identity", "Shape", "DequantizeLinear")
    lines += [node.op_type for node in found.tail.nodes if node.op_type not in quiet]
    lines.append(f"logits ({found.tail.stages[-1].width})" + (f", then {found.activation}" if found.activation else ""))
    return tuple(lines)
