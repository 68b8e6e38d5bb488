"""Average against maximum pooling: which learns better where things are.

Zhou et al. (CVPR 2016, section 2) argue that averaging makes a network find all discriminative parts of an object,
since every one raises the score, while the maximum is content with the most discriminative one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from boxless.class_maps import normalise
from boxless.evaluation.bootstrap import Bootstrap, best_mean_of
from boxless.evaluation.box_accuracy import IOUS, THRESHOLDS, Overlaps, centre_overlaps, max_box_acc_v2, overlaps
from boxless.evaluation.dataset import BoxedPicture
from boxless.evaluation.score import pointing_game
from boxless.image import read_picture, resize_pixels
from boxless.ordered import ordered_map
from boxless.refine import resize_maps
from boxless.reproduction.boxed import BoxedClasses, load_boxed

Floats = NDArray[np.float32]
Say = Callable[[str], object]

POOLINGS = ("gap", "gmp")

_PAPER_CUT = int(np.argmin(np.abs(THRESHOLDS - 0.2)))
"""The CAM paper's box is that of the largest piece above 20 % of the maximum."""


@dataclass(frozen=True)
class Settings:
    """A row of settings.

    Attributes:
        backbone: frozen trains a linear layer on pooled features; fine-tuned trains the whole network.
        sides: at which pictures are looked at, in pixels, one after the other.
        train, val: pictures of each class, at most.
        seeds: how many networks for each pooling and side.
        epochs, batch, rate: of Adam.
    """

    backbone: Literal["frozen", "fine-tuned"]
    sides: tuple[int, ...]
    train: int
    val: int
    seeds: int
    epochs: int
    batch: int
    rate: float


SCALES = {
    "check": Settings("frozen", (64,), 4, 2, 1, 2, 16, 1e-3),
    "quick": Settings("frozen", (224, 448), 300, 50, 5, 30, 32, 1e-3),
    "full": Settings("fine-tuned", (224, 448), 300, 50, 5, 20, 32, 1e-4),
}


def measure(scale: str, data: Path | None, say: Say) -> dict[str, Any]:
    """Trains a head for each pooling, side and seed, and measures its maps against the boxes."""
    settings = SCALES[scale]
    boxed = load_boxed(data, settings.train, settings.val)
    runs: list[dict[str, Any]] = []
    differences: dict[str, Any] = {}
    for side in settings.sides:
        curves: dict[str, list[NDArray[Any]]] = {pooling: [] for pooling in POOLINGS}
        look = (_frozen if settings.backbone == "frozen" else _fine_tuned)(boxed, settings, side)
        say(f"{side} px: {len(boxed.train)} pictures to learn from, {len(boxed.val)} to measure on")
        for seed in range(settings.seeds):
            for pooling in POOLINGS:
                start = time.perf_counter()
                logits, maps = look(pooling, seed)
                figures, over = _figures(boxed.val, logits, maps)
                curves[pooling].append(np.stack([each.any_box for each in over]))
                run = {"pooling": pooling, "side": side, "seed": seed, **figures}
                run["seconds"] = round(time.perf_counter() - start, 1)
                runs.append(run)
                say(
                    f"{side} px, {pooling}, seed {seed}: MaxBoxAccV2 {run['max_box_acc_v2']:.1f} %, "
                    f"classification error {run['top1_error']:.1f} %, {run['seconds']:.0f} s"
                )
        differences[str(side)] = _difference(curves)
    centre = max_box_acc_v2([centre_overlaps(each.boxes, each.size) for each in boxed.val])
    return {
        "settings": asdict(settings),
        "data": {"name": boxed.name, "classes": len(boxed.classes), "train": len(boxed.train), "val": len(boxed.val)},
        "centre": round(centre, 2),
        "difference": differences,
        "runs": runs,
    }


Look = Callable[[str, int], tuple[Floats, Iterator[Floats]]]
"""From a pooling and a seed: the logits (n, K), and each picture's map of its true class (h, w)."""


def _frozen(boxed: BoxedClasses, settings: Settings, side: int) -> Look:
    """The embedded backbone as it is; a linear layer learns on what the pooling makes of its features."""
    from boxless.evaluation.features import FeatureNetwork
    from boxless.networks.framework import keras
    from boxless.networks.heads import logits_of_features

    network = FeatureNetwork("efficientnet-lite0", walk=False, threads=1)

    def features(path: Path) -> Floats:
        """(h, w, C)"""
        pixels = resize_pixels(read_picture(path).pixels, side, side)
        return np.asarray(network.look(pixels, (side, side), (), 1)[2].transpose(1, 2, 0))

    def pooled(path: Path) -> tuple[Floats, Floats]:
        found = features(path)
        return found.mean(axis=(0, 1)), found.max(axis=(0, 1))

    both = [np.stack(each) for each in zip(*ordered_map(pooled, boxed.train, 2), strict=True)]
    seen = dict(zip(POOLINGS, both, strict=True))
    val = np.stack(list(ordered_map(features, [each.path for each in boxed.val], 2)))

    def look(pooling: str, seed: int) -> tuple[Floats, Iterator[Floats]]:
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        # Of any size: it learns from features that are pooled already, maps of one cell, which pooling leaves alone.
        given = keras.Input((None, None, val.shape[-1]))
        head = keras.Model(given, logits_of_features(given, pooling, len(boxed.classes)))
        _fit(head, seen[pooling][:, None, None], boxed.labels, settings)
        weight = np.asarray(head.get_layer("logits").kernel)
        maps = (val[i] @ weight[:, each.class_index] for i, each in enumerate(boxed.val))
        return np.asarray(head.predict(val, batch_size=32, verbose=0)), maps

    return look


def _fine_tuned(boxed: BoxedClasses, settings: Settings, side: int) -> Look:
    """The whole network learns, from the embedded backbone's weights."""
    from boxless.networks import build
    from boxless.networks.framework import keras

    def pixels(path: Path) -> NDArray[np.uint8]:
        return resize_pixels(read_picture(path).pixels, side, side)

    train = np.stack([pixels(path) for path in boxed.train])
    val = np.stack([pixels(each.path) for each in boxed.val])

    def look(pooling: str, seed: int) -> tuple[Floats, Iterator[Floats]]:
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        network = build("efficientnet_lite0", len(boxed.classes), pooling, side, weights="imagenet")
        _fit(network, train, boxed.labels, settings)
        pool, linear = network.get_layer("pool"), network.get_layer("logits")
        both = keras.Model(network.input, [network.output, pool.input])
        weight = np.asarray(linear.kernel)
        logits, features = both.predict(val, batch_size=32, verbose=0)
        return np.asarray(logits), (features[i] @ weight[:, each.class_index] for i, each in enumerate(boxed.val))

    return look


def _fit(network: Any, inputs: NDArray[Any], labels: NDArray[np.int64], settings: Settings) -> None:  # noqa: ANN401
    from boxless.networks.framework import keras
    from boxless.reproduction.train import compiled

    steps = settings.epochs * -(-len(labels) // settings.batch)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(settings.rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=compiled(),
    )
    network.fit(inputs, labels, batch_size=settings.batch, epochs=settings.epochs, verbose=0)


def _figures(
    val: tuple[BoxedPicture, ...], logits: Floats, maps: Iterator[Floats]
) -> tuple[dict[str, float], list[Overlaps]]:
    """Percentages, and the overlaps that they come from."""
    over, pointed, covered = [], [], []
    for picture, raw in zip(val, maps, strict=True):
        score_map = normalise(resize_maps(np.asarray(raw, np.float32)[None], *picture.size))[0]
        over.append(overlaps(score_map, picture.boxes, picture.size))
        pointed.append(pointing_game(score_map, picture.boxes, picture.size))
        covered.append(float((score_map >= 0.2).mean()))
    right = logits.argmax(axis=1) == np.array([each.class_index for each in val])
    boxed = np.array([each.largest_box[_PAPER_CUT] for each in over]) >= 0.5
    figures = {
        "max_box_acc_v2": max_box_acc_v2(over),
        "top1_error": 100 * float(1 - right.mean()),
        "top1_localization_error": 100 * float(1 - (right & boxed).mean()),
        "known_localization_error": 100 * float(1 - boxed.mean()),
        "pointing": 100 * float(np.mean(pointed)),
        "area": 100 * float(np.mean(covered)),
    }
    return {name: round(value, 2) for name, value in figures.items()}, over


def _difference(curves: dict[str, list[NDArray[Any]]]) -> dict[str, float]:
    """MaxBoxAccV2 of average less that of maximum pooling, mean over seeds, with its interval over pictures."""
    every = {
        pooling: [best_mean_of(np.stack([100.0 * (each >= enough) for enough in IOUS])) for each in some]
        for pooling, some in curves.items()
    }

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        means = [np.mean([each(weights) for each in every[pooling]], axis=0) for pooling in POOLINGS]
        return np.asarray(means[0] - means[1])

    return Bootstrap(np.arange(len(curves["gap"][0]))).interval(statistic).as_dict()
