"""Localization measured on boxed images: anybody's images, anybody's maps.

Public is what docs/api lists of it; the rest is internal.

>>> from boxless import ModelFile
>>> from boxless.evaluation import Evaluation, measure_model, read_dataset
>>> network = ModelFile("efficientnet-lite0")
>>> dataset = read_dataset(Path("ilsvrc-dev"), network.card)
>>> scores = measure_model(network, "balanced", dataset.images, dataset.notes)
>>> Evaluation.of(dataset, "balanced", "as stored", scores).figures
"""

from __future__ import annotations

from boxless.datasets.boxed import BoxedImage, BoxedSet, read_dataset
from boxless.evaluation.bootstrap import Bootstrap, Interval
from boxless.evaluation.box_accuracy import inclusive_iou, max_box_acc, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.evaluation.evaluation import Evaluation
from boxless.evaluation.figures import Figure, figures
from boxless.evaluation.pixels import pixel_histogram, px_ap
from boxless.evaluation.predict import measure_maps, measure_model
from boxless.evaluation.score import MapPrediction, Score, pointing_game, score

__all__ = [
    "Bootstrap",
    "BoxedImage",
    "BoxedSet",
    "Evaluation",
    "Figure",
    "Interval",
    "MapPrediction",
    "Score",
    "figures",
    "inclusive_iou",
    "max_box_acc",
    "max_box_acc_v2",
    "measure_maps",
    "measure_model",
    "one_box_accuracy",
    "overlaps",
    "pixel_histogram",
    "pointing_game",
    "px_ap",
    "read_dataset",
    "score",
]
