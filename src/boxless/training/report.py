"""What was learned, as one page for people: figures, confusions, likely wrong labels, and where the model looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxless.errors import PictureError
from boxless.evaluation.bootstrap import Interval
from boxless.image import read_picture
from boxless.localizer import Localizer
from boxless.model_file import ModelFile
from boxless.page import PAGE, listed, on_square, tile, tiles, write_page
from boxless.training.duplicates import near_duplicates
from boxless.training.held_out import HeldOut
from boxless.training.pictures import LabelledPictures

MOST_CLASSES = 30
"""With more classes, a matrix of all pairs is no longer read, and no longer shown."""

_A_CLASS = 6
"""Heat maps of each class: a row of the page."""

_TILE = 220


@dataclass(frozen=True, eq=False)
class Report:
    """What was learned from what, and how well.

    Attributes:
        title: the model's name, and what it was made of.
        facts: (what, value) of how it was made, in words.
        training: the pictures that were learned from.
        held_out: the others, and what the model says of them.
        left_out: the pictures that were learned from, with what a model says of them that had not seen them; None
            where no such model was made.
        duplicates: see `near_duplicates`.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    training: LabelledPictures
    held_out: HeldOut
    left_out: HeldOut | None
    duplicates: tuple[tuple[int, int, float], ...]

    @classmethod
    def of(
        cls,
        title: str,
        facts: Sequence[tuple[str, str]],
        training: LabelledPictures,
        held_out: HeldOut,
        left_out: HeldOut | None = None,
    ) -> Report:
        """The report, the near duplicates looked for."""
        found = near_duplicates(training.paths, held_out.pictures.paths)
        return cls(title, tuple(facts), training, held_out, left_out, tuple(found))

    @property
    def figures(self) -> dict[str, Interval]:
        """See `HeldOut.figures`."""
        return self.held_out.figures

    @property
    def notes(self) -> tuple[str, ...]:
        """What was wrong with the pictures, in words."""
        held_out = self.held_out.pictures
        found = [*self.training.notes, *(each for each in held_out.notes if each not in self.training.notes)]
        if unseen := [name for name, count in zip(held_out.classes, held_out.counts, strict=True) if not count]:
            found.append(f"no held-out picture of {', '.join(unseen[:10])}{' and more' if len(unseen) > 10 else ''}")
        if self.duplicates:
            found.append(
                f"{len(self.duplicates)} held-out pictures nearly are pictures that were learned from: the accuracy "
                "is too high by what they give"
            )
        return tuple(found)

    @property
    def confused(self) -> list[str]:
        """The pairs most often confused, in words."""
        counts, classes = self.held_out.pictures.counts, self.held_out.pictures.classes
        return [
            f"{classes[true]} taken for {classes[said]}: {count} of {counts[true]}"
            for true, said, count in self.held_out.confused()
        ]

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        held_out, learned = self.held_out.pictures, self.training
        return {
            "title": self.title,
            "facts": dict(self.facts),
            "figures": {name: interval.as_dict() for name, interval in self.figures.items()},
            "classes": [
                {
                    "name": name,
                    "learned_from": int(learned.counts[k]),
                    "held_out": int(held_out.counts[k]),
                    "recall": _number(self.held_out.recalls[k]),
                    "precision": _number(self.held_out.precisions[k]),
                }
                for k, name in enumerate(held_out.classes)
            ],
            "confused": [
                {"true": held_out.classes[true], "said": held_out.classes[said], "count": count}
                for true, said, count in self.held_out.confused()
            ],
            "likely_wrong_labels": [
                str(whole.pictures.paths[i]) for whole in self._measured() for i in whole.suspects()
            ],
            "near_duplicates": [
                {"held_out": str(held_out.paths[i]), "learned_from": str(learned.paths[j]), "likeness": round(like, 4)}
                for i, j, like in self.duplicates
            ],
            "notes": list(self.notes),
        }

    @property
    def heat_maps(self) -> int:
        """How many pictures `write` draws."""
        held_out = self.held_out.pictures
        return sum(min(_A_CLASS, int(n)) for k, n in enumerate(held_out.counts) if k not in held_out.background)

    def write(
        self, model: ModelFile, preset: str, folder: Path, done: Callable[[int], object] = lambda n: None
    ) -> Path:
        """Writes `index.html`, which needs no other file.

        Args:
            model: what was made; draws the heat maps.
            preset: to draw them with.
            folder: made where it is missing.
            done: told after each drawn picture how many are.

        Returns:
            The page's path.
        """
        page = folder / PAGE
        write_page(page, self.title, self._parts(Localizer(model, preset), done))
        return page

    def _measured(self) -> list[HeldOut]:
        return [self.held_out, *([self.left_out] if self.left_out else [])]

    def _parts(self, localizer: Localizer, done: Callable[[int], object]) -> list[str]:
        facts = "".join(f"<tr><td>{escape(what)}<td>{escape(value)}</tr>" for what, value in self.facts)
        return [
            f"<table>{facts}</table>",
            f"<h2>How often it is right</h2><p>On {len(self.held_out.pictures)} pictures that it did not learn from, "
            "in percent, with 95 % bootstrap intervals over pictures.</p>",
            listed(
                f"{name}: {each.value:.1f} ({each.low:.1f} to {each.high:.1f})" for name, each in self.figures.items()
            ),
            f"<h2>What was wrong with the pictures</h2>{listed(self.notes)}" if self.notes else "",
            _class_table(self.training, self.held_out),
            f"<h2>Most often confused</h2>{listed(self.confused)}" if self.confused else "",
            _matrix(self.held_out),
            *_suspects(self._measured()),
            *self._duplicate_tiles(),
            *_heat_maps(localizer, self.held_out, done),
        ]

    def _duplicate_tiles(self) -> list[str]:
        if not self.duplicates:
            return []
        shown = []
        for i, j, likeness in self.duplicates[:12]:
            for path, which in (
                (self.held_out.pictures.paths[i], "held out"),
                (self.training.paths[j], "learned from"),
            ):
                shown.append(_plain(path, f"{which}: {path.parent.name}/{path.name} ({likeness:.3f})"))
        return ["<h2>Nearly the same, held out and learned from</h2>", tiles(shown)]


def _class_table(training: LabelledPictures, held_out: HeldOut) -> str:
    rows = (
        f"<tr><td>{escape(name)}<td class=n>{training.counts[k]}<td class=n>{held_out.pictures.counts[k]}"
        f"<td class=n>{_percent(held_out.recalls[k])}<td class=n>{_percent(held_out.precisions[k])}</tr>"
        for k, name in enumerate(training.classes)
    )
    return (
        "<h2>Class by class</h2><table><tr><th>class<th class=n>learned from<th class=n>held out"
        f"<th class=n>found, % (recall)<th class=n>right when said, % (precision)</tr>{''.join(rows)}</table>"
    )


def _matrix(held_out: HeldOut) -> str:
    classes = held_out.pictures.classes
    if len(classes) > MOST_CLASSES:
        return ""
    shares = held_out.confusion / np.maximum(held_out.pictures.counts, 1)[:, None]
    head = "".join(f"<th class=n><span class=up>{escape(name)}</span>" for name in classes)
    rows = "".join(
        f"<tr><th>{escape(name)}"
        + "".join(
            f'<td class=n style="background:rgba({"0,114,178" if true == said else "213,94,0"},{0.6 * share:.2f})">'
            f"{held_out.confusion[true, said] or ''}"
            for said, share in enumerate(shares[true])
        )
        + "</tr>"
        for true, name in enumerate(classes)
    )
    return (
        "<h2>Confusion matrix</h2><p>Rows: what the picture shows. Columns: what the model says.</p>"
        f"<div style='overflow-x:auto'><table><tr><th>{head}</tr>{rows}</table></div>"
    )


def _suspects(measured: Sequence[HeldOut]) -> list[str]:
    shown = []
    for whole in measured:
        for i in whole.suspects(12):
            labels = " and ".join(whole.pictures.classes[k] for k in np.flatnonzero(whole.pictures.targets[i]))
            best = int(whole.probabilities[i].argmax())
            said = f"{whole.pictures.classes[best]} {whole.probabilities[i, best]:.0%}"
            path = whole.pictures.paths[i]
            shown.append(_plain(path, f"labelled {labels or 'nothing'}, model: {said} ({path.name})"))
    if not shown:
        return []
    return [
        "<h2>Labels that are likely wrong</h2><p>Misnamed by a model that had not seen them, the most surprising "
        "first. Some are hard pictures with right labels.</p>",
        tiles(shown),
    ]


def _heat_maps(localizer: Localizer, held_out: HeldOut, done: Callable[[int], object]) -> list[str]:
    """For each class, pictures that show it with its heat map; the pictures are drawn by lot."""
    parts = [
        "<h2>Where it looks</h2><p>Held-out pictures of each class with the class's own heat map and box. Heat on the "
        "object: it has learned the object. Heat beside it, the same way in picture after picture: it has learned "
        "the surroundings, and needs pictures with the object elsewhere, or of the surroundings without it.</p>"
    ]
    random = np.random.default_rng(0)
    drawn = 0
    for k, name in enumerate(held_out.pictures.classes):
        if k in localizer.card.background:
            continue
        mine = np.flatnonzero(held_out.pictures.targets[:, k] > 0)
        chosen = random.permutation(mine)[:_A_CLASS]
        paths = [held_out.pictures.paths[i] for i in chosen]
        shown = []
        for found in localizer.locate_many(paths, classes=[k]):
            path = Path(found.image)
            picture = None if found.error else on_square(found.draw(), _TILE)
            shown.append(tile(picture, path.name if found.error is None else f"{path.name}: {found.error}"))
            drawn += 1
            done(drawn)
        if shown:
            parts += [f"<h3>{escape(name)}</h3>", tiles(shown)]
    return parts


def _plain(path: Path, caption: str) -> str:
    """A picture as it is."""
    try:
        return tile(on_square(Image.fromarray(read_picture(path, enough=_TILE).pixels), _TILE), caption)
    except PictureError as error:
        return tile(None, f"{caption} ({error})")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if isfinite(share) else "-"


def _number(value: float) -> float | None:
    return round(float(value), 4) if isfinite(value) else None
