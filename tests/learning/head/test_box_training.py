"""Heads that boxes teach: which cells they learn from, and that they move from the telltale part to the object."""

from __future__ import annotations

import numpy as np

from boxless.learning.head.box_training import boxed_cells, learn_from_boxes
from boxless.learning.head.cells import ImageCells
from boxless.learning.head.self_training import marked_cells

SIDE = 16
BOX = np.array([[40, 20, 120, 100]], np.float32)
"""In pixels of an image of 160 x 160: cells 4 to 12 across, 2 to 10 down."""

SIZE = (160, 160)
OBJECT = (slice(2, 10), slice(4, 12))


def image(seed: int, *, shown: bool = True) -> ImageCells:
    """Features of an object, of its telltale part, and noise; the class map marks the part."""
    layer = np.random.default_rng(seed).normal(0, 0.3, (3, SIDE, SIDE))
    maps = np.zeros((SIDE, SIDE), np.float32)
    if shown:
        layer[0][OBJECT] += 2
        layer[1, 2:5, 4:7] += 2
        maps[2:5, 4:7] = 1
    return ImageCells((layer.astype(np.float16),), {0: maps} if shown else {})


def test_cells_are_inside_and_outside() -> None:
    found = boxed_cells(image(0), BOX, SIZE, np.random.default_rng(0))
    assert found.inside[:, 0].min() > found.outside[:, 0].max()


def test_a_box_smaller_than_a_cell_has_one_and_one_around_everything_leaves_none_outside() -> None:
    tiny = np.array([[41, 21, 43, 23]], np.float32)
    assert len(boxed_cells(image(0), tiny, SIZE, np.random.default_rng(0)).inside) == 1
    everything = np.array([[0, 0, 160, 160]], np.float32)
    assert len(boxed_cells(image(0), everything, SIZE, np.random.default_rng(0)).outside) == 0


def test_boxes_move_a_head_from_the_part_to_the_object() -> None:
    images = [image(n, shown=n < 10) for n in range(20)]
    targets = np.array([[n < 10] for n in range(20)], np.float32)
    random = np.random.default_rng(0)
    marked = marked_cells(images, targets, 0, random)
    assert marked is not None
    boxed = [boxed_cells(each, BOX, SIZE, random) for each in images[:5]]
    inside = np.zeros((SIDE, SIDE), bool)
    inside[OBJECT] = True
    found = []
    for mix in (0.0, 0.5, 1.0):
        head = learn_from_boxes(0.03, mix, marked, boxed, random)
        region = image(99).probabilities(head.weight[None], np.array([head.bias], np.float32))[0] > 0.5
        found.append((region & inside).sum() / (region | inside).sum())
    labels, both, boxes = found
    assert labels < both
    assert boxes > 0.8
