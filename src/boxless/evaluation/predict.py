"""Predictions to evaluate: those of a model, or score maps from a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError, ImageError
from boxless.evaluation.score import MapPrediction, Score, score
from boxless.localizer import Localizer
from boxless.maps.boxes import boxes_in_map
from boxless.maps.class_maps import normalise, probabilities
from boxless.models.model_file import Network, Output
from boxless.results import Prediction
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

_GRID = 256
"""Maps are measured with at most this many cells on the longer side, the resolution that boxes are read off at."""


class _Listener:
    """A network that keeps the logits (K,) of each image's first pass, the one that classifies, one image per thread.

    A `Localizer` asked for the true classes returns no probabilities of the others. Keeping the logits saves another
    pass.
    """

    def __init__(self, network: Network) -> None:
        self.card = network.card
        self.kept = threading.local()
        self._network = network

    def run(self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        output = self._network.run(pixels, size=size, classes=classes, top=top)
        if self.kept.logits is None:
            self.kept.logits = output.logits
        return output


def measure_model(
    network: Network, preset: str | None, images: Iterable[BoxedImage], notes: Notes, workers: int | None = None
) -> Iterator[Score]:
    """Scores a model, lazily and in order: each image is located once, for all its true classes.

    Args:
        network: the model.
        preset: see `Localizer`.
        images: the true boxes; entries of one image file must follow each other.
        notes: collects the images that cannot be read; they get no scores.
        workers: images processed at a time; one per core if None.

    Returns:
        A score for each entry whose image can be read, lazily.

    Raises:
        ModelFileError: if the model is a detector.

    Example:
        >>> from boxless import ModelFile
        >>> from boxless.evaluation import BoxedImage
        >>> cup = np.array([[150, 10, 470, 380]], np.float32)
        >>> truth = BoxedImage(Path("examples/pictures/coffee.jpg"), 967, cup, (400, 600))
        >>> [each.pointed for each in measure_model(ModelFile("efficientnet-lite0"), "fast", [truth], Notes())]
        [1.0]
    """
    network.card.need_maps("this measure", instead="boxless evaluate --ap measures boxes")
    listener = _Listener(network)
    localizer = Localizer(listener, preset)

    def one(group: list[BoxedImage]) -> list[Score]:
        listener.kept.logits = None
        try:
            found = localizer.locate(group[0].path, classes=[image.class_index for image in group], include_absent=True)
        except ImageError:
            notes.add("damaged file", str(group[0].path))
            return []
        logits: Floats = listener.kept.logits
        order = np.argsort(-logits, kind="stable").tolist()  # ties: the first one, like argmax
        confidence = float(probabilities(logits, localizer.card.activation).max())
        return [
            score(
                image,
                MapPrediction(
                    score_map=score_map_of(prediction),
                    box=prediction.box.xyxy if prediction.box else None,
                    rank=order.index(image.class_index),
                    top_class=int(logits.argmax()),
                    confidence=confidence,
                ),
            )
            for image, prediction in zip(group, found.predictions, strict=True)
        ]

    groups = (list(group) for _, group in groupby(images, key=lambda image: image.path))
    for scores in ordered_map(one, groups, workers):
        yield from scores


def score_map_of(prediction: Prediction) -> Floats:
    """The prediction's score map (h, w) in [0, 1], on the grid that its boxes are read off."""
    scale = min(1.0, _GRID / max(prediction.height, prediction.width))
    grid = (max(1, round(prediction.height * scale)), max(1, round(prediction.width * scale)))
    return prediction.scores_on(*grid)


def measure_maps(
    folder: Path, images: Iterable[BoxedImage], notes: Notes, threshold: float | None = None
) -> Iterator[Score]:
    """Scores score maps from files, made by any tool.

    The map of `a/cat.jpg` is `a/cat.npy`, `cat.npy` or `cat_map_281.npy` (281 being the class's index, as
    `boxless locate --save-maps` writes it): a NumPy array (h, w) of any size and scale; negative values count as zero.

    Args:
        folder: the folder of the files.
        images: the true boxes.
        notes: collects images without a map, and files that are not maps; these get no scores.
        threshold: the threshold of the deployable box, a fraction of the map's maximum; without one there is no such
            box.

    Returns:
        A score for each entry that has a map, lazily.

    Raises:
        DatasetError: if there are no maps, or none belongs to an image.

    Example:
        >>> import tempfile
        >>> from boxless.evaluation import BoxedImage
        >>> folder = Path(tempfile.mkdtemp())
        >>> np.save(folder / "cup.npy", np.ones((10, 10), np.float32))
        >>> truth = BoxedImage(Path("cup.jpg"), 0, np.array([[0, 0, 10, 10]], np.float32), (10, 10))
        >>> [each.box_iou for each in measure_maps(folder, [truth], Notes(), threshold=0.5)]
        [1.0]
    """
    if not folder.is_dir():
        raise DatasetError(f"no folder of maps '{folder}'")
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.npy"))}
    if not files:
        raise DatasetError(f"{folder}: no maps (expected NumPy files such as cat.npy for the image cat.jpg)")
    measured = bad = 0
    for image in images:
        parts = image.path.with_suffix("").parts
        tails = ["/".join(parts[-depth:]) for depth in range(min(len(parts), 4), 0, -1)]
        names = [name for tail in tails for name in (f"{tail}_map_{image.class_index}", tail)]
        file = next((files[name] for name in names if name in files), None)
        if file is None:
            notes.add("no map", image.path.name)
            continue
        score_map = _read_map(file)
        if score_map is None:
            notes.add("bad map", file.name)
            bad += 1
            continue
        measured += 1
        boxes = () if threshold is None else boxes_in_map(score_map, threshold, *image.size)
        yield score(image, MapPrediction(score_map, boxes[0].xyxy if boxes else None))
    if not measured and bad:
        raise DatasetError(
            f"{folder}: not one of {bad} maps of images of the data set is a map (expected NumPy arrays (h, w) of "
            "finite numbers)"
        )
    if not measured:
        raise DatasetError(f"{folder}: none of its {len(files)} maps belongs to an image of the data set")


def _read_map(file: Path) -> Floats | None:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if array.ndim != 2 or not array.size or array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        return None
    scores: Floats = normalise(array.astype(np.float32))
    return scores
