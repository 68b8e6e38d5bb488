"""The facts of a run, and medians that stand noise: shared by the benchmark programs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.provenance import RESULTS, facts, provenance, stamp, stamps
from boxless.system.files import write_whole

DATA = Path(os.environ.get("BOXLESS_DATA", Path(__file__).parent.parent.parent / "shared/data"))


def milliseconds(
    tasks: Mapping[str, Callable[[], object]],
    rounds: int = 60,
    warm: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """The time of each task in each round, in ms. The tasks take turns, so that noise meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(warm + rounds):
        for name, task in tasks.items():
            start = clock()
            task()
            if turn >= warm:
                times[name].append((clock() - start) * 1e3)
    return times


def ratio(times: Mapping[str, list[float]], name: str, over: str) -> float:
    """The median over rounds of one task's time over another's."""
    return float(np.median(np.array(times[name]) / np.array(times[over])))


def write_results(name: str, figures: Mapping[str, Any], part: str | None = None, parts: Iterable[str] = ()) -> None:
    """Writes figures with the machine's facts to benchmarks/results/NAME.json.

    Args:
        name: of the benchmark program.
        figures: what it measured.
        part: which part was measured just now; None if all of it was.
        parts: all parts that the figures hold; those that were measured before keep their stamps.
    """
    made = {"": stamp(name)}
    if part is not None:
        known = stamps(read(name)) if (RESULTS / f"{name}.json").is_file() else {}
        made = {each: known.get(each) or known.get("") or stamp(name) for each in parts} | {part: stamp(name)}
    text = json.dumps({"machine": facts(), "made": made, **figures}, indent=2, ensure_ascii=False) + "\n"
    write_whole(RESULTS / f"{name}.json", lambda beside: beside.write_text(text, encoding="utf-8"))


_names_read: list[str] = []


def read(name: str) -> dict[str, Any]:
    """The results of a benchmark program."""
    _names_read.append(name)
    data: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return data


def with_provenance(table: Callable[[], str]) -> str:
    """A table, and a line that says when its results were measured, and by which code."""
    _names_read.clear()
    text = table()
    return f"{text}\n{provenance(_names_read)}\n"


def with_interval(figure: dict[str, float]) -> str:
    """A figure and its 95 % interval."""
    return f"{figure['value']:.1f} ({figure['low']:.1f} to {figure['high']:.1f})"
