"""When a class counts as present: levels that are set on pictures that show it, that do not, and that are blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.blank import blank_pictures
from boxless.imaging.read import Source
from boxless.localizer import Localizer
from boxless.models.model_file import Network
from boxless.models.presets import Preset
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

KEPT = 0.97
"""The share of present classes that levels let pass where they are set, so that about 96 % pass elsewhere."""

LEAST_KEPT = 0.96
"""The share that is enough where it excludes blank pictures that would show something otherwise."""

FEWEST = 20
"""With fewer present classes there is nothing to set levels on."""

_SHARES = np.linspace(0.0, 1.0 - LEAST_KEPT, 21)
"""The shares of present classes that one level alone may lose."""

_MARGIN = 1.05
"""How far above the blank pictures' activation a level that is to exclude them stands."""


@dataclass(frozen=True, eq=False)
class Surveys:
    """What a model says of all classes of pictures.

    Attributes:
        probabilities: (n, K).
        activation: (n, K).
    """

    probabilities: Floats
    activation: Floats

    @classmethod
    def of(cls, localizer: Localizer, sources: Sequence[Source]) -> Surveys:
        """Asks a localizer about pictures that can be read."""
        surveys = list(ordered_map(localizer.survey, sources, 2))
        return cls(np.stack([chances for chances, _ in surveys]), np.stack([activation for _, activation in surveys]))

    def of_classes(self, classes: NDArray[np.int64]) -> Surveys:
        """What is said of some of the classes, by index."""
        return Surveys(self.probabilities[:, classes], self.activation[:, classes])

    def pass_levels(self, probability: float, activation: float) -> NDArray[np.bool_]:
        """(n, K), which classes reach both levels."""
        return (self.probabilities >= probability) & (self.activation >= activation)


@dataclass(frozen=True)
class Levels:
    """From where on a class counts as present, and how well that tells on the pictures that set it.

    Attributes:
        probability, activation: the two levels; see `Preset`.
        present: the share of classes shown by a picture that pass, in percent.
        absent: the share of classes not shown by a picture that pass, in percent.
        blank: the share of blank pictures of which any class passes, in percent.
    """

    probability: float
    activation: float
    present: float
    absent: float
    blank: float


def levels(surveys: Surveys, shown: NDArray[np.bool_], blank: Surveys) -> Levels | None:
    """The levels that let present classes pass, and as few blank pictures and absent classes as can be.

    Of all pairs of a level of probability and one of activation that let `LEAST_KEPT` of the present classes pass: the
    one with fewest blank pictures that show anything, then one that lets `KEPT` pass, then with fewest absent classes.

    Args:
        surveys: of n pictures whose classes are known.
        shown: (n, K), which class each picture shows.
        blank: of pictures that show nothing.

    Returns:
        None with fewer than `FEWEST` present classes.
    """
    if shown.sum() < FEWEST:
        return None
    best: tuple[tuple[float, float, float], Levels] | None = None
    floors = np.quantile(surveys.activation[shown], _SHARES, method="lower")
    for probability in np.unique(_rounded_down(np.quantile(surveys.probabilities[shown], _SHARES, method="lower"))):
        probable = blank.activation[blank.probabilities >= probability]
        above_blank = [_MARGIN * float(probable.max())] if probable.size else []
        for activation in np.unique(_rounded_down(np.maximum([0.0, *floors, *above_blank], 0.0))):
            passing = surveys.pass_levels(probability, activation)
            found = Levels(
                probability=float(probability),
                activation=float(activation),
                present=100 * float(passing[shown].mean()),
                absent=100 * float(passing[~shown].mean()) if (~shown).any() else 0.0,
                blank=100 * float(blank.pass_levels(probability, activation).any(axis=1).mean()),
            )
            if found.present < 100 * LEAST_KEPT:
                continue
            rank = (found.blank, max(0.0, 100 * KEPT - found.present), found.absent)
            if best is None or rank < best[0]:
                best = (rank, found)
    return best[1] if best else None


def set_levels(
    network: Network, preset: str, sources: Sequence[Source], shown: NDArray[np.bool_], named: str, draws: int = 1
) -> tuple[Preset, Levels | None]:
    """A preset with its levels set on pictures.

    Classes that say "nothing here" have no part in it. Where the pictures are too few, a model that has such a class
    detects the others from a probability of a half on, where they are surely more probable than it; without such a
    class the preset stays as it was.

    Args:
        network: the model.
        preset: the name of one of its presets.
        sources: n pictures that can be read.
        shown: (n, K), which class each shows.
        named: the pictures, in words.
        draws: how many blank pictures of each kind of noise.
    """
    localizer = Localizer(network, preset)
    things = np.setdiff1d(np.arange(len(network.card.labels)), network.card.background)
    found = levels(
        Surveys.of(localizer, sources).of_classes(things),
        shown[:, things],
        Surveys.of(localizer, blank_pictures(draws=draws)).of_classes(things),
    )
    if found is None:
        if network.card.background:
            words = f"more probable than not: fewer than {FEWEST} of {named} show a class"
            return replace(localizer.preset, min_probability=0.5, detection_set_on=words), None
        return localizer.preset, None
    return (
        replace(
            localizer.preset,
            min_probability=found.probability,
            min_activation=found.activation,
            detection_set_on=f"{named} and blank pictures: {found.present:.1f} % of present classes pass, "
            f"{found.absent:.2f} % of absent ones, {found.blank:.0f} % of blank pictures",
        ),
        found,
    )


def _rounded_down(values: Floats) -> NDArray[np.float64]:
    """Three significant digits, never more than before, so that what set a level passes it."""
    values = np.asarray(values, np.float64)
    digits = 10.0 ** (2 - np.floor(np.log10(np.maximum(values, 1e-12))))
    return np.asarray(np.floor(values * digits) / digits)
