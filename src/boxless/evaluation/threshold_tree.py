"""The connected components of a map at many thresholds, computed at once.

Every cell points to its highest neighbour, so every cell belongs to one *hill*. Above a threshold the cells of a hill
are connected, since each leads up to the top, and two hills are connected where a pair of touching cells, one of each,
reaches the threshold: a *saddle*. So the components at all thresholds follow from a short list of hills and saddles,
and each cell is visited once instead of once per threshold. This is the component tree of Salembier et al.
("Antiextensive connected operators", 1998), written with array operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

# The neighbours of a cell and the cell itself, by rising position in memory.
_AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]


@dataclass(frozen=True, eq=False)
class Components:
    """The 8-connected components of a map at every threshold: m in total, in no particular order.

    Attributes:
        threshold: (m,), the index of the threshold that the component belongs to.
        xyxy: (m, 4), its box in cells, half-open.
        cells: (m,), the number of its cells.
        total: (m,), the sum of the map over it.
    """

    threshold: Indices
    xyxy: Indices
    cells: Indices
    total: NDArray[np.float64]


def components(score_map: Floats, thresholds: NDArray[np.float64]) -> Components:
    """The components that `boxes_in_map` finds, at every threshold, including small ones.

    Args:
        score_map: (h, w), not negative, of any scale; without a positive value it has no components.
        thresholds: (t,), rising, fractions of the map's maximum in (0, 1].
    """
    height, width = score_map.shape
    peak = float(score_map.max())
    if peak <= 0.0:
        none = np.zeros(0, np.int64)
        return Components(none, np.zeros((0, 4), np.int64), none, np.zeros(0))
    cuts = (thresholds * peak).astype(np.float32)
    # The level of a cell is the number of thresholds that it reaches.
    level = np.searchsorted(cuts, score_map.ravel(), side="right").reshape(height, width)
    hill, count = _hills(score_map)

    inside = np.flatnonzero(level.ravel())
    y, x = np.divmod(inside, width)
    owner, reached = hill.ravel()[inside], level.ravel()[inside] - 1
    boxes, cells, total = _by_hill_and_level(owner, reached, x, y, score_map.ravel()[inside], count, len(cuts))
    return _joined(_component_of_hill(hill, level, count, len(cuts)), boxes, cells, total)


def _hills(score_map: Floats) -> tuple[Indices, int]:
    """The hill of every cell (h, w), numbered from 0, and the number of hills.

    Among equal neighbours the later one in memory counts as higher, so that no two cells point at each other.
    """
    height, width = score_map.shape
    padded = np.full((height + 2, width + 2), -np.inf, np.float32)
    padded[1:-1, 1:-1] = score_map
    highest = np.full((height, width), -np.inf, np.float32)
    step = np.zeros((height, width), np.int64)
    for down, right in _AROUND:
        value = padded[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        higher = value >= highest
        np.copyto(highest, value, where=higher)
        np.copyto(step, down * width + right, where=higher)
    # The padding of -inf is never the highest neighbour, so the steps never leave the map.
    above = np.arange(height * width) + step.ravel()
    while True:
        further = above[above]
        if np.array_equal(further, above):
            break
        above = further
    tops = above == np.arange(height * width)
    return (np.cumsum(tops) - 1)[above].reshape(height, width), int(tops.sum())


def _by_hill_and_level(
    owner: Indices, reached: Indices, x: Indices, y: Indices, scores: Floats, hills: int, levels: int
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Boxes (hills, levels, 4), cell counts and sums (hills, levels) of each hill's cells that reach each level."""
    key = owner * levels + reached
    extremes = np.empty((4, hills * levels), np.int64)
    extremes[:2] = np.iinfo(np.int64).max // 4
    extremes[2:] = -1
    np.minimum.at(extremes[0], key, x)
    np.minimum.at(extremes[1], key, y)
    np.maximum.at(extremes[2], key, x + 1)
    np.maximum.at(extremes[3], key, y + 1)
    cells = np.bincount(key, minlength=hills * levels).reshape(hills, levels)
    total = np.bincount(key, weights=scores, minlength=hills * levels).reshape(hills, levels)
    # From "exactly at this level" to "at this level or above".
    downwards = extremes.reshape(4, hills, levels)[:, :, ::-1]
    lows = np.minimum.accumulate(downwards[:2], axis=2)[:, :, ::-1]
    highs = np.maximum.accumulate(downwards[2:], axis=2)[:, :, ::-1]
    boxes = np.concatenate([lows, highs]).transpose(1, 2, 0)
    return boxes, cells[:, ::-1].cumsum(axis=1)[:, ::-1], total[:, ::-1].cumsum(axis=1)[:, ::-1]


def _component_of_hill(hill: Indices, level: Indices, hills: int, levels: int) -> Indices:
    """For every level, the hill that represents each hill's component there: (levels, hills)."""
    saddles = _saddles(hill, level, hills)
    root = np.arange(hills)
    roots = np.empty((levels, hills), np.int64)
    ends = np.searchsorted(-saddles[:, 2], -np.arange(levels), side="left")  # by falling level
    done = 0
    for at in range(levels - 1, -1, -1):
        # Level `at` (from 0) joins hills at saddles whose two cells reach at least at + 1 thresholds.
        for a, b, _ in saddles[done : ends[at]].tolist():
            low, high = sorted((int(root[a]), int(root[b])))
            if low != high:
                root[root == high] = low
        done = max(done, int(ends[at]))
        roots[at] = root
    return roots


def _saddles(hill: Indices, level: Indices, hills: int) -> Indices:
    """Where hills touch, by falling level: (p, 3), two hills and the highest level that both sides reach, above 0."""
    found = []
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        a, b = hill[here], hill[there]
        apart = np.flatnonzero(a != b)
        height = np.minimum(level[here], level[there]).ravel()[apart]
        pair = np.stack([a.ravel()[apart], b.ravel()[apart]])
        found.append(np.stack([pair.min(axis=0), pair.max(axis=0), height], axis=1)[height > 0])
    every = np.concatenate(found)
    # Only the highest saddle of each pair of hills.
    every = every[np.argsort(-every[:, 2], kind="stable")]
    _, first = np.unique(every[:, 0] * hills + every[:, 1], return_index=True)
    return np.asarray(every[np.sort(first)])


def _joined(roots: Indices, boxes: Indices, cells: Indices, total: NDArray[np.float64]) -> Components:
    """Merges hills into components, at every level."""
    hills = roots.shape[1]
    alive = np.flatnonzero(cells.T.ravel())  # (level, hill) pairs that have cells
    at, owner = np.divmod(alive, hills)
    place, component = np.unique(at * hills + roots.ravel()[alive], return_inverse=True)
    xyxy = np.empty((len(place), 4), np.int64)
    xyxy[:, :2], xyxy[:, 2:] = np.iinfo(np.int64).max // 4, -1
    of_hill = boxes[owner, at]
    for edge in range(4):
        (np.minimum if edge < 2 else np.maximum).at(xyxy[:, edge], component, of_hill[:, edge])
    return Components(
        threshold=np.asarray(place // hills),
        xyxy=xyxy,
        cells=np.bincount(component, weights=cells[owner, at]).astype(np.int64),
        total=np.asarray(np.bincount(component, weights=total[owner, at]), np.float64),
    )
