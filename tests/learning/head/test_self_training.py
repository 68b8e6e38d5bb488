"""Heads from cells that class maps mark, on images made of cells of which is known what they are."""

from __future__ import annotations

import numpy as np
import pytest

from boxless.learning.head.cells import ImageCells
from boxless.learning.head.self_training import candidates, discriminant
from boxless.maps.refine import resize_maps

GRID = 24


def image(random: np.random.Generator, there: bool, side: int = 10) -> tuple[ImageCells, np.ndarray]:
    """An object of two kinds of cells on a ground of its own; its class map peaks somewhere within."""
    cells = random.normal(0, 0.2, (6, GRID, GRID))
    cells[0] += 1
    truth = np.zeros((GRID, GRID), bool)
    maps = {}
    if there:
        top, left = random.integers(0, GRID - side, 2)
        truth[top : top + side, left : left + side] = True
        cells[0][truth] -= 1
        cells[1, top : top + side // 2, left : left + side] += 1
        cells[2, top + side // 2 : top + side, left : left + side] += 1
        y, x = top + random.uniform(0, side), left + random.uniform(0, side)
        rows, columns = np.mgrid[:GRID, :GRID]
        peak = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 3.0**2))
        maps[0] = resize_maps(peak[None].astype(np.float32), GRID // 2, GRID // 2)[0]
    coarse = random.normal(0, 0.3, (2, GRID // 2, GRID // 2))
    return ImageCells((cells.astype(np.float16), coarse.astype(np.float16)), maps), truth


@pytest.fixture(scope="module")
def images() -> tuple[list[ImageCells], np.ndarray, list[np.ndarray]]:
    random = np.random.default_rng(0)
    made = [image(random, there=i % 2 == 0) for i in range(48)]
    targets = np.array([[i % 2 == 0, i % 2 == 1] for i in range(48)], np.float32)
    return [cells for cells, _ in made], targets, [truth for _, truth in made]


def test_a_head_learns_the_whole_object_of_maps_that_peak_on_parts(
    images: tuple[list[ImageCells], np.ndarray, list[np.ndarray]],
) -> None:
    cells, targets, truths = images
    found = candidates(cells, targets, 0, np.random.default_rng(0))
    assert found is not None
    head = found.heads[0.08]
    (probability,) = cells[0].probabilities(head.weight[None], np.array([head.bias], np.float32))
    overlap = ((probability > 0.5) & truths[0]).sum() / ((probability > 0.5) | truths[0]).sum()
    marked = resize_maps(cells[0].maps[0][None], GRID, GRID)[0]
    in_map = ((marked > 0.5 * marked.max()) & truths[0]).sum() / ((marked > 0.5 * marked.max()) | truths[0]).sum()
    assert overlap > 0.85 > in_map + 0.2


def test_the_evidence_is_about_what_was_not_seen(
    images: tuple[list[ImageCells], np.ndarray, list[np.ndarray]],
) -> None:
    cells, targets, _ = images
    found = candidates(cells, targets, 0, np.random.default_rng(0))
    assert found is not None
    right = found.evidence[0.08]
    assert right.separation == 1
    assert right.contrast > 0.4
    assert right.agreement > 0.8
    assert 0.1 < right.area < 0.25, "10 x 10 of 24 x 24 cells"
    shuffled = np.random.default_rng(1).permutation(targets)
    nothing = [ImageCells(each.layers, {0: np.ones((2, 2), np.float32)}) for each in cells]
    chance = candidates(nothing, shuffled, 0, np.random.default_rng(0))
    assert chance is not None
    assert max(each.score for each in chance.evidence.values()) < 0.5 * right.score
    assert chance.evidence[0.08].separation < 0.8


@pytest.mark.parametrize("shown", [7, 41])
def test_too_few_images_with_or_without_a_class_teach_nothing(
    shown: int, images: tuple[list[ImageCells], np.ndarray, list[np.ndarray]]
) -> None:
    cells, _, _ = images
    targets = (np.arange(48) < shown)[:, None].astype(np.float32)
    assert candidates(cells, targets, 0, np.random.default_rng(0)) is None


def test_a_discriminant_is_right_of_two_normal_distributions() -> None:
    random = np.random.default_rng(0)
    above, below = (random.normal(at, 1, (2000, 3)).astype(np.float32) for at in ((1, 0, 0), (-1, 0, 0)))
    head = discriminant(above, below)
    assert (above @ head.weight + head.bias > 0).mean() > 0.82
    assert (below @ head.weight + head.bias < 0).mean() > 0.82
    assert head.weight[0] > 10 * abs(head.weight[1:]).max()


def test_cells_are_read_as_maps_are_resized() -> None:
    random = np.random.default_rng(0)
    layers = (random.normal(size=(2, 6, 8)).astype(np.float16), random.normal(size=(3, 3, 4)).astype(np.float16))
    some = np.array([0, 7, 19, 47])
    whole = np.concatenate([resize_maps(layer.astype(np.float32), 6, 8) for layer in layers]).reshape(5, -1)
    assert ImageCells(layers, {}).at(some) == pytest.approx(whole[:, some].T, abs=1e-3)
