"""Features by a Ray cluster: images in pieces, an actor a core; the file that keeps them is written here."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from boxless.batch.cluster import Cluster
from boxless.export.backbone import Backbone
from boxless.learning.head.features import Extractor, Seen
from boxless.system.ordered import ordered_map

_PIECE = 64
"""Images that an actor takes at a time; a lost one costs them."""

_THREADS = 2
"""Threads of an actor: while one runs the network on its core, the other reads the next image."""


def on_ray(
    extractor: Extractor, paths: Sequence[Path], *, address: str | None = None, workers: int | None = None
) -> Iterator[tuple[int, Seen]]:
    """The engine of many machines; see `boxless.learning.head.features.Engine` and `boxless.batch.cluster.Cluster`.

    All machines must reach the images by the same names. The backbone's file is sent along, and the digests of what
    is known, 16 bytes each.
    """
    pieces = partial(_pieces, [path.absolute() for path in paths])
    work = partial(_Worker, extractor.backbone.path.read_bytes(), extractor.side, frozenset(extractor.known))
    for piece in Cluster(address, workers).results(pieces, work):
        yield from piece


def _pieces(paths: Sequence[Path]) -> Iterator[list[tuple[int, Path]]]:
    for start in range(0, len(paths), _PIECE):
        yield list(enumerate(paths[start : start + _PIECE], start))


class _Worker:
    """What an actor does with a piece.

    Args:
        model: the content of the backbone's file.
        side, known: see `Extractor`.
    """

    def __init__(self, model: bytes, side: int, known: Collection[bytes]) -> None:
        with tempfile.TemporaryDirectory() as place:
            file = Path(place, "model.onnx")
            file.write_bytes(model)
            self._extractor = Extractor(Backbone(file), side, known)

    def __call__(self, piece: list[tuple[int, Path]]) -> list[tuple[int, Seen]]:
        """The features of the images, with their indices."""
        indices, paths = zip(*piece, strict=True)
        return list(zip(indices, ordered_map(self._extractor, paths, _THREADS), strict=True))
