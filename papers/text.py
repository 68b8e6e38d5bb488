"""Numbers in words and tables, the same way on every page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
from scipy.stats import t as student_t


def plus_minus(values: Sequence[float], digits: int = 2) -> str:
    """Mean and standard deviation of a sample; of one value the value."""
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def of_seeds(number: int) -> str:
    """What the numbers of `plus_minus` are."""
    return f"Mean ± standard deviation over {number} seeds" if number > 1 else "Of one seed"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differences(by_seed: Sequence[float], what: str) -> str:
    """What differences of a pair of runs with the same seed, in points, say; positive ones mean "less".

    Whether they are more than chance is told by the 95 % interval of their mean (Student's t, one pair a seed).
    """
    mean = float(np.mean(by_seed))
    way = "less" if mean >= 0 else "more"
    size = f"{abs(mean):.1f} points {way} {what}"
    if len(by_seed) < 2:
        return f"{size} (one seed, so chance is not measured)"
    half = float(student_t.ppf(0.975, len(by_seed) - 1) * np.std(by_seed, ddof=1)) / sqrt(len(by_seed))
    firm = "" if abs(mean) > half else ", which chance could do"
    return f"{size} (± {half:.1f}, 95 % over {len(by_seed)} seeds{firm})"


def flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names and values of nested settings, one after the other."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value)
        else:
            yield name, value


def shown(value: Any) -> str:  # noqa: ANN401
    """A value of a setting."""
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else str(value)


def in_words(name: str) -> str:
    """The name of a setting."""
    return name.replace("_", " ")


def apart(settings: Mapping[str, Any], full: Mapping[str, Any]) -> str:
    """In what settings differ from those of a full run."""
    whole = dict(flat(full))
    return "; ".join(
        f"{in_words(name)} {shown(value)} instead of {shown(whole[name])}"
        for name, value in flat(settings)
        if name in whole and shown(value) != shown(whole[name])
    )
