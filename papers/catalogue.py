"""The experiments by name."""

from __future__ import annotations

import difflib
import time
from pathlib import Path

from boxless.errors import BoxlessError
from boxless.system.machine import LEARNING, machine
from papers.confidence_maps import CONFIDENCE_MAPS
from papers.experiment import Experiment, Say
from papers.gap_gmp import GAP_GMP
from papers.nin_heads import NIN_HEADS
from papers.page import index_page, store, stored, write_text, write_up
from papers.translation import TRANSLATION

EXPERIMENTS = {each.name: each for each in (NIN_HEADS, TRANSLATION, CONFIDENCE_MAPS, GAP_GMP)}


class UnknownExperimentError(BoxlessError):
    """A name that no experiment has."""


def experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        UnknownExperimentError: if there is none such; with the nearest names.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    near = difflib.get_close_matches(name.lower().replace("_", "-"), EXPERIMENTS, n=2, cutoff=0.5)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise UnknownExperimentError(f"no experiment '{name}' (there are {', '.join(EXPERIMENTS)}){hint}")


def reproduce(name: str, scale: str, out: Path, data: Path | None = None, say: Say = lambda words: None) -> Path:
    """Measures a claim again, and writes result, plot and page.

    Args:
        name: of the experiment.
        scale: full, medium, quick or check.
        out: the folder to write to.
        data: see `Measure`.
        say: is told how it gets on.

    Returns:
        The experiment's page.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        DatasetError: if there are no pictures to measure with.
        MissingExtraError: if Keras or a framework under it is not installed.
    """
    chosen = experiment(name)
    start = time.perf_counter()
    measured = chosen.measure(scale, data, say)
    facts = {"scale": scale, "seconds": round(time.perf_counter() - start, 1), "machine": machine(LEARNING)}
    page = store(chosen, scale, measured, facts, out)
    write_index(out)
    return page


def write_index(out: Path) -> None:
    """Writes the folder's first page anew."""
    write_text(out / "README.md", index_page(tuple(EXPERIMENTS.values()), out))


def write_pages(out: Path) -> None:
    """Writes every page and plot of a folder anew from the results that are stored there."""
    for each in EXPERIMENTS.values():
        if stored(each, out):
            write_up(each, out)
    write_index(out)
