"""Published classifiers by name, such as `keras:ResNet50`: their own framework downloads and describes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxless.errors import MissingExtraError, NetworkError, first_line
from boxless.export.assemble import write_card
from boxless.export.attachment import Attached
from boxless.export.frameworks import framework, logits_only
from boxless.export.from_frameworks import from_keras, from_torch
from boxless.export.preprocessing import Preprocessing, measure_preprocessing
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

_NAME = re.compile(r"(keras|torchvision|timm|hf):(.+)")


@dataclass(frozen=True)
class Published:
    """A classifier with published weights, and what its framework states about it.

    Attributes:
        network: a Keras model, or a PyTorch module that takes (N, 3, h, w) and returns logits.
        size: (height, width) in pixels that it was trained at.
        preprocessing: what it expects of pixels.
        labels: class names by index; empty where the framework names none.
        imagenet: whether its classes are the 1,000 of ImageNet, in the order of their WordNet ids.
        licence: of the weights, an SPDX identifier or "unknown".
    """

    network: Any
    size: tuple[int, int]
    preprocessing: Preprocessing
    labels: tuple[str, ...] = ()
    imagenet: bool = False
    licence: str = "unknown"


def is_published(name: str) -> bool:
    """Whether a name is that of a published classifier, FRAMEWORK:NAME."""
    return _NAME.fullmatch(name) is not None


def attach_published(name: str, out: Path, **options: Any) -> Attached:  # noqa: ANN401
    """Downloads a published classifier, and makes a boxless model of it.

    Labels, preprocessing and input size are what the framework states, unless `options` of `attach` do. Its box
    thresholds are those of the embedded model, which were set on boxed images.

    Raises:
        MissingExtraError: if the framework is not installed.
        NetworkError: if there is no such classifier, its weights cannot be loaded, or it cannot be attached to.
    """
    found = load_published(name)
    embedded = ModelFile(DEFAULT_MODEL, threads=1).card
    stated = {
        "labels": found.labels or (embedded.labels if found.imagenet else None),
        "preprocess": found.preprocessing,
        "input_size": found.size,
        "licence": found.licence,
    }
    options = stated | {key: value for key, value in options.items() if value is not None}
    short = re.split("[:/]", name.rstrip("/"))[-1]
    if name.startswith("keras:"):
        made = from_keras(found.network, out, name=short, **options)
    else:
        made = from_torch(found.network, out, found.size, name=short, **options)
    card = with_thresholds_of(embedded, replace(made.card, source=name))
    if found.imagenet:
        card = replace(card, class_ids=embedded.class_ids)
    write_card(out, card)
    return replace(made, card=card)


def with_thresholds_of(embedded: Card, card: Card) -> Card:
    """The card with the box thresholds of another; detection thresholds hold only for the network they were set on."""
    presets = {
        name: replace(
            preset,
            threshold=embedded.presets[name].threshold,
            set_on=f"carried from {embedded.name}: {embedded.presets[name].set_on}",
        )
        for name, preset in card.presets.items()
    }
    return replace(card, presets=presets)


def load_published(name: str) -> Published:
    """A published classifier, from the cache of its framework or downloaded."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise NetworkError(
            f"{name}: no published classifier (expected {', '.join(f'{each}:NAME' for each in _LOADERS)})"
        )
    try:
        return _LOADERS[match[1]](match[2])
    except (MissingExtraError, NetworkError) as error:
        raise type(error)(f"{name}: {error}") from None


def _keras(name: str) -> Published:
    keras = framework("keras", "keras", "tensorflow-cpu", "tf2onnx")
    applications = keras.applications
    _check_name(name, [each for each in dir(applications) if each[0].isupper()])
    build = getattr(applications, name)
    network = _downloaded("Keras", lambda: build(weights="imagenet"))
    preprocess = import_module(build.__module__).preprocess_input

    def seen(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(preprocess(pixels[None].astype(np.float32))[0]).transpose(2, 0, 1)

    height, width = network.input_shape[1:3]
    return Published(network, (height or 224, width or 224), measure_preprocessing(seen), imagenet=True)


def _torchvision(name: str) -> Published:
    framework("torch", "torch", "torchvision")
    vision = framework("torchvision", "torchvision")
    _check_name(name, vision.models.list_models(module=vision.models))
    weights = vision.models.get_model_weights(name).DEFAULT
    network = _downloaded("torchvision", lambda: vision.models.get_model(name, weights=weights))
    seen = _of_pil(weights.transforms())
    return Published(
        network, _size(seen), measure_preprocessing(seen), tuple(weights.meta["categories"]), imagenet=True
    )


def _timm(name: str) -> Published:
    framework("torch", "torch", "timm")
    timm = framework("timm", "timm")
    _check_name(name, timm.list_models(pretrained=True), lambda: timm.is_model(name))
    network = _downloaded("timm", lambda: timm.create_model(name, pretrained=True, exportable=True))
    seen = _of_pil(timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False))
    subset = timm.data.infer_imagenet_subset(network)
    imagenet = subset == "imagenet-1k"
    labels: tuple[str, ...] = ()
    if subset and not imagenet:
        info = timm.data.ImageNetInfo(subset)
        labels = tuple(info.index_to_description(index) for index in range(network.num_classes))
    licence = network.pretrained_cfg.get("license") or "unknown"
    return Published(network, _size(seen), measure_preprocessing(seen), labels, imagenet, licence)


def _hugging_face(name: str) -> Published:
    packages = ("torch", "torchvision", "transformers")
    framework("torch", *packages)
    transformers = framework("transformers", *packages)
    network = _downloaded("transformers", lambda: transformers.AutoModelForImageClassification.from_pretrained(name))
    processor = _downloaded("transformers", lambda: transformers.AutoImageProcessor.from_pretrained(name))

    def seen(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(processor(images=pixels, return_tensors="np")["pixel_values"][0], np.float32)

    labels = tuple(network.config.id2label[index] for index in range(network.config.num_labels))
    return Published(logits_only(network), _size(seen), measure_preprocessing(seen), labels)


_LOADERS: dict[str, Callable[[str], Published]] = {
    "keras": _keras,
    "torchvision": _torchvision,
    "timm": _timm,
    "hf": _hugging_face,
}


def _check_name(name: str, names: Iterable[str], known: Callable[[], bool] = lambda: False) -> None:
    names = sorted(names)
    if name in names or known():
        return
    alike = {each.lower(): each for each in names}
    close = difflib.get_close_matches(name.lower(), alike, n=3) or list(alike)[:3]
    raise NetworkError(f"no such classifier (such as {', '.join(alike[each] for each in close)})")


def _downloaded(name: str, load: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return load()
    # Each framework raises something else when it is offline.
    except Exception as error:
        raise NetworkError(
            f"{name} cannot load the published weights ({first_line(error)}). They are downloaded the first time, "
            "which needs an internet connection; without one, save the network as a file elsewhere and attach that"
        ) from None


def _of_pil(transform: Callable[[Any], Any]) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    return lambda pixels: np.asarray(transform(Image.fromarray(pixels)), np.float32)


def _size(seen: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> tuple[int, int]:
    height, width = seen(np.zeros((256, 256, 3), np.uint8)).shape[1:]
    return height, width
