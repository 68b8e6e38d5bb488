"""The pieces of a map at many thresholds, all at once.

A map is climbed instead of cut: every cell points to its highest neighbour, so every cell belongs to one *hill*. At a
threshold, a hill's cells that reach it hang together (each leads up to the top), and two hills hang together where a
pair of touching cells, one of each, reaches it. So the pieces at every threshold follow from a short list of hills and
of the passes between them, and the cells are looked at once, not once a threshold. It is the component tree of
Salembier et al. ("Antiextensive connected operators", 1998) in terms that arrays can do.
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
class Pieces:
    """The connected pieces (by sides or corners) of a map at every threshold; m in all, in no order.

    Attributes:
        threshold: (m,), which threshold the piece belongs to, by index.
        xyxy: (m, 4), its box in cells, half-open.
        cells: (m,), how many it has.
        evidence: (m,), the sum of the map over it.
    """

    threshold: Indices
    xyxy: Indices
    cells: Indices
    evidence: NDArray[np.float64]


def pieces(score_map: Floats, thresholds: NDArray[np.float64]) -> Pieces:
    """What `boxes_in_map` finds, at every threshold, specks and all.

    Args:
        score_map: (h, w), not negative; any scale.
        thresholds: (t,), rising, fractions of the map's maximum in (0, 1].

    Returns:
        No pieces at all where the map has no positive value.
    """
    height, width = score_map.shape
    peak = float(score_map.max())
    if peak <= 0.0:
        none = np.zeros(0, np.int64)
        return Pieces(none, np.zeros((0, 4), np.int64), none, np.zeros(0))
    cuts = (thresholds * peak).astype(np.float32)
    # The level of a cell is the number of thresholds that it reaches.
    level = np.searchsorted(cuts, score_map.ravel(), side="right").reshape(height, width)
    hill, count = _hills(score_map)

    inside = np.flatnonzero(level.ravel())
    y, x = np.divmod(inside, width)
    owner, reached = hill.ravel()[inside], level.ravel()[inside] - 1
    boxes, cells, evidence = _by_hill_and_level(owner, reached, x, y, score_map.ravel()[inside], count, len(cuts))
    return _joined(_piece_of_hill(hill, level, count, len(cuts)), boxes, cells, evidence)


def _hills(score_map: Floats) -> tuple[Indices, int]:
    """The hill of every cell (h, w), numbered from 0, and how many there are.

    Of equally high neighbours the later one in memory is the higher, so that no two cells point at each other.
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
    # A map may hold -inf nowhere, so the steps never leave it.
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
    """Boxes (hills, levels, 4), cell counts and evidence (hills, levels) of what reaches each level in each hill."""
    key = owner * levels + reached
    extremes = np.empty((4, hills * levels), np.int64)
    extremes[:2] = np.iinfo(np.int64).max // 4
    extremes[2:] = -1
    np.minimum.at(extremes[0], key, x)
    np.minimum.at(extremes[1], key, y)
    np.maximum.at(extremes[2], key, x + 1)
    np.maximum.at(extremes[3], key, y + 1)
    cells = np.bincount(key, minlength=hills * levels).reshape(hills, levels)
    evidence = np.bincount(key, weights=scores, minlength=hills * levels).reshape(hills, levels)
    # From "exactly at this level" to "at this level or above".
    downwards = extremes.reshape(4, hills, levels)[:, :, ::-1]
    lows = np.minimum.accumulate(downwards[:2], axis=2)[:, :, ::-1]
    highs = np.maximum.accumulate(downwards[2:], axis=2)[:, :, ::-1]
    boxes = np.concatenate([lows, highs]).transpose(1, 2, 0)
    return boxes, cells[:, ::-1].cumsum(axis=1)[:, ::-1], evidence[:, ::-1].cumsum(axis=1)[:, ::-1]


def _piece_of_hill(hill: Indices, level: Indices, hills: int, levels: int) -> Indices:
    """For every level (levels, hills) the hill that stands for the piece to which a hill belongs there."""
    passes = _passes(hill, level, hills)
    root = np.arange(hills)
    roots = np.empty((levels, hills), np.int64)
    ends = np.searchsorted(-passes[:, 2], -np.arange(levels), side="left")  # by falling level
    done = 0
    for at in range(levels - 1, -1, -1):
        # Level `at` (from 0) joins the passes whose two cells reach at least at + 1 thresholds.
        for a, b, _ in passes[done : ends[at]].tolist():
            low, high = sorted((int(root[a]), int(root[b])))
            if low != high:
                root[root == high] = low
        done = max(done, int(ends[at]))
        roots[at] = root
    return roots


def _passes(hill: Indices, level: Indices, hills: int) -> Indices:
    """Where hills touch: (p, 3), a hill, another one, the highest level of both sides; by falling level, above 0."""
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
    # Of each pair of hills only the highest pass.
    every = every[np.argsort(-every[:, 2], kind="stable")]
    _, first = np.unique(every[:, 0] * hills + every[:, 1], return_index=True)
    return np.asarray(every[np.sort(first)])


def _joined(roots: Indices, boxes: Indices, cells: Indices, evidence: NDArray[np.float64]) -> Pieces:
    """Hills put together into pieces, at every level."""
    hills = roots.shape[1]
    alive = np.flatnonzero(cells.T.ravel())  # (level, hill) pairs with anything there
    at, owner = np.divmod(alive, hills)
    place, piece = np.unique(at * hills + roots.ravel()[alive], return_inverse=True)
    xyxy = np.empty((len(place), 4), np.int64)
    xyxy[:, :2], xyxy[:, 2:] = np.iinfo(np.int64).max // 4, -1
    of_hill = boxes[owner, at]
    for edge in range(4):
        (np.minimum if edge < 2 else np.maximum).at(xyxy[:, edge], piece, of_hill[:, edge])
    return Pieces(
        threshold=np.asarray(place // hills),
        xyxy=xyxy,
        cells=np.bincount(piece, weights=cells[owner, at]).astype(np.int64),
        evidence=np.asarray(np.bincount(piece, weights=evidence[owner, at]), np.float64),
    )
