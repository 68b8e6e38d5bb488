"""Opens a boxless model: one ONNX file whose one run gives logits, class maps and affinity; or a detector's boxes.

What a file says of itself, its presets and thresholds too, is a `boxless.models.card.Card`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import ModelFileError, first_line
from boxless.models import zoo
from boxless.models.arena import bounded, run_error
from boxless.models.card import METADATA_KEY, Card
from boxless.models.devices import check_runs, default_device, providers

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Output:
    """The output of one pass over one image.

    Attributes:
        logits: (K,), one a class.
        chosen: (k,), the indices of the classes that have a map: those asked for, then the most probable.
        class_maps: (k, h, w), in units of logits; the mean of a map plus its class's bias is its logit.
        affinity: (u, v, h, w), how similar each fine position is to each position of the class maps, rows
            summing to one; None in a model without mid-level features.
        anomaly: (u, v), how far each fine position is from what the model's images are made of, see
            `boxless.maps.refine.anomaly_weights`; None in a model that has not learned it.
        localization_maps: (k, u, v), how probably each cell belongs to an object of the class, in [0, 1]; None in a
            model without a localization head.
        localization_class_maps: (k, h, w), in logits; None in a model without a class map head. In older files
            these are the localization_maps.
    """

    logits: Floats
    chosen: NDArray[np.int64]
    class_maps: Floats
    affinity: Floats | None = None
    anomaly: Floats | None = None
    localization_maps: Floats | None = None
    localization_class_maps: Floats | None = None


@dataclass(frozen=True)
class Detected:
    """The output of one pass of a detector over one image.

    Attributes:
        logits: (K,), of each class's highest-scoring box.
        boxes: (n, 4), xyxy in pixels of what it was given, doubles left out.
        scores: (n,), in [0, 1].
        classes: (n,), their indices.
    """

    logits: Floats
    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]


class Network(Protocol):
    """What a Localizer needs of a model; `ModelFile` is the real one."""

    @property
    def card(self) -> Card:
        """What is to be known of the model."""

    def run(self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        """Runs one pass over RGB (H, W, 3), resized to `size`: maps of the named classes and of the `top` best."""


@runtime_checkable
class Detector(Protocol):
    """What a Localizer needs of a model whose card says that it detects."""

    def detect(self, pixels: NDArray[np.uint8], *, size: tuple[int, int]) -> Detected:
        """Runs one pass over RGB (H, W, 3), resized to `size`."""


MAYBE = ("affinity", "anomaly", "localization_maps", "localization_class_maps")
"""What a model file may lack."""


class ModelFile:
    """A model file, opened.

    Args:
        model: the name of a model that comes with boxless (`boxless models` lists them), or a file's path.
        threads: how many a run may use; 0 lets ONNX Runtime decide (one a core).
        device: that runs it: cpu, cuda, openvino, coreml or directml; $BOXLESS_DEVICE, else cpu,
            where None. See `boxless.models.devices`.

    Attributes:
        path: of the file.
        card: what is to be known of the model.
        device: that runs it.
        outputs: the names of what a run gives; an `Output` has None for what is not among them.

    Raises:
        ModelFileError: if there is no such model or file, or it is no boxless model.

    Example:
        >>> model = ModelFile("efficientnet-lite0")
        >>> model.run(np.zeros((300, 400, 3), np.uint8), size=(192, 256), top=3).class_maps.shape
        (3, 6, 8)
    """

    def __init__(self, model: str | Path, threads: int = 0, device: str | None = None) -> None:
        self.path = find_model(model)
        self._threads = threads
        self.device = device or default_device()
        wanted = providers(self.device)
        options = bounded(ort.SessionOptions()) if self.device == "cpu" else ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(self.path, options, providers=wanted)
        # ONNX Runtime's errors have no common class of their own.
        except Exception as error:
            raise ModelFileError(f"{self.path}: not a model that ONNX Runtime can run ({first_line(error)})") from None
        check_runs(self._session, self.device)
        try:
            text = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        except UnicodeDecodeError:
            raise ModelFileError(
                f"{self.path}: its metadata is not UTF-8 text (damaged, or no boxless model)"
            ) from None
        if text is None:
            raise ModelFileError(
                f"{self.path}: an ONNX file, but no boxless model (it has no card); if it is a classifier, make one "
                f"of it: boxless attach {self.path} --out FILE"
            )
        try:
            self.card = Card.from_json(text)
        except ModelFileError as error:
            raise ModelFileError(f"{self.path}: {error}") from None
        self.outputs = _outputs(self._session, self.card, self.path)

    def __reduce__(self) -> tuple[type[ModelFile], tuple[Path, int, str]]:
        """The path, for pickle: another process opens the file again."""
        return ModelFile, (self.path.absolute(), self._threads, self.device)

    @cached_property
    def on_one_core(self) -> ModelFile:
        """The same model for many images at a time, each on a core of its own, unless `threads` is set.

        Two images, on a core each, are done well before two that have both cores in turn
        (benchmarks/speed.py).
        """
        return self if self._threads or self.device != "cpu" else ModelFile(self.path, threads=1)

    def run(
        self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int] = (), top: int = 1
    ) -> Output:
        """Runs one pass over an image.

        Args:
            pixels: RGB (H, W, 3).
            size: the (height, width) that the network sees, multiples of the card's `size_multiple`.
            classes: the classes whose maps are wanted, by index.
            top: how many of the most probable classes' maps are wanted too, at most K.

        Returns:
            Logits of all classes, and the class maps of the wanted ones.

        Raises:
            ModelFileError: if the model is a detector.
        """
        self.card.need_maps("what you asked for")
        feed = inputs(pixels, size=size, classes=classes, top=top)
        found = dict(zip(self.outputs, self._run(feed), strict=True))
        chosen = found["chosen"][0]
        asked = np.array_equal(chosen[: len(classes)], classes) and _within(
            chosen[len(classes) :], len(self.card.labels)
        )
        if not asked or found["class_maps"].shape[1] != len(chosen) or 0 in found["class_maps"].shape[2:]:
            raise ModelFileError(
                f"{self.path}: a damaged model (its class maps are not those of the classes asked for)"
            )
        return Output(**{name: value[0] for name, value in found.items()})

    def detect(self, pixels: NDArray[np.uint8], *, size: tuple[int, int]) -> Detected:
        """Runs one pass of a detector over an image.

        Args:
            pixels: RGB (H, W, 3).
            size: as for `run`.

        Returns:
            The boxes of all classes, and the logits.

        Raises:
            ModelFileError: if the model is damaged.
        """
        feed: dict[str, NDArray[Any]] = {"image": pixels[None], "size": np.array(size, np.int64)}
        logits, boxes, scores, classes = self._run(feed)
        if not len(boxes) == len(scores) == len(classes) or not _within(classes, logits.shape[1]):
            raise ModelFileError(f"{self.path}: a damaged model (its boxes, scores and classes do not fit)")
        return Detected(logits[0], boxes, scores, classes)

    def _run(self, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Runs the graph once. Its outputs are checked before they are used as indices: the file may be anybody's."""
        try:
            found = [np.asarray(each) for each in self._session.run(self.outputs, feed)]
        # ONNX Runtime's errors have no common class of their own.
        except Exception as error:
            raise ModelFileError(f"{self.path}: it cannot be run on this image ({run_error(error)})") from None
        for name, value in zip(self.outputs, found, strict=True):
            if name in _SCORES and not np.isfinite(value).all():
                raise ModelFileError(f"{self.path}: a damaged model (its {name} are not finite on this image)")
        if len(found[0]) != 1 or found[0].shape[-1] != len(self.card.labels):
            raise ModelFileError(
                f"{self.path}: a damaged model ({found[0].shape[-1]} logits for {len(self.card.labels)} labels)"
            )
        return found


_SCORES = frozenset(["logits", "class_maps", "boxes", "box_scores"])
"""What results hold; NaN in it would be no JSON."""

_SHAPES = {
    "logits": ("tensor(float)", 2),
    "chosen": ("tensor(int64)", 2),
    "class_maps": ("tensor(float)", 4),
    "affinity": ("tensor(float)", 5),
    "anomaly": ("tensor(float)", 3),
    "localization_maps": ("tensor(float)", 4),
    "localization_class_maps": ("tensor(float)", 4),
    "boxes": ("tensor(float)", 2),
    "box_scores": ("tensor(float)", 1),
    "box_classes": ("tensor(int64)", 1),
    "image": ("tensor(uint8)", 4),
    "size": ("tensor(int64)", 1),
    "classes": ("tensor(int64)", 1),
    "top": ("tensor(int64)", 1),
}
"""Types and ranks of what goes into a model file's graph and comes out; see docs/model-file.md."""


def _outputs(session: ort.InferenceSession, card: Card, path: Path) -> list[str]:
    """The names of the outputs that a run asks for.

    Raises:
        ModelFileError: if the graph has not the inputs and outputs that it has to have.
    """
    given = {each.name: each for each in (*session.get_inputs(), *session.get_outputs())}
    wanted = ["logits", "boxes", "box_scores", "box_classes"] if card.detects else ["logits", "chosen", "class_maps"]
    wanted += [] if card.detects else [name for name in MAYBE if name in given]
    entries = ["image", "size"] if card.detects else ["image", "size", "classes", "top"]
    if missing := set(wanted) - given.keys():
        raise ModelFileError(f"{path}: a boxless model without its {', '.join(sorted(missing))}")
    needed = {each.name for each in session.get_inputs()}
    if needed - set(entries) or not {"image", "size"} <= needed:
        raise ModelFileError(f"{path}: a damaged model (inputs {', '.join(sorted(needed))}, not {', '.join(entries)})")
    for name in (*wanted, *sorted(needed)):
        kind, rank = _SHAPES[name]
        if given[name].type != kind or len(given[name].shape) != rank:
            raise ModelFileError(
                f"{path}: a damaged model ({name} is {given[name].type} of {len(given[name].shape)} dimensions, not "
                f"{kind} of {rank})"
            )
    classes = given["logits"].shape[1]
    if isinstance(classes, int) and classes != len(card.labels):
        raise ModelFileError(f"{path}: a damaged model ({classes} logits for {len(card.labels)} labels)")
    return wanted


def _within(indices: NDArray[np.int64], classes: int) -> bool:
    return not indices.size or bool(indices.min() >= 0 and indices.max() < classes)


def inputs(
    pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int] = (), top: int = 1
) -> dict[str, NDArray[Any]]:
    """What a model file's graph takes, by name, for one image; see `ModelFile.run`."""
    return {
        "image": pixels[None],
        "size": np.array(size, np.int64),
        "classes": np.array(classes, np.int64),
        "top": np.array([top], np.int64),
    }


def find_model(model: str | Path) -> Path:
    """The path of a model that comes with boxless, by name, or of a file.

    Raises:
        ModelFileError: if there is neither.
    """
    embedded = zoo.models()
    if str(model) in embedded:
        return embedded[str(model)]
    path = Path(model)
    if not path.is_file():
        raise ModelFileError(f"no model '{model}' (expected {', '.join(embedded)}, or a model file's path)")
    return path
