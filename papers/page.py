"""Results and their pages: stored as JSON, and written up from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from boxless.errors import DatasetError
from boxless.system.files import write_whole
from papers.experiment import Experiment, Measured
from papers.text import apart, flat, in_words, shown, table

SCALES = ("full", "medium", "quick", "check")
"""The most telling first."""

_LABELS = {
    "full": "Full run",
    "medium": "Medium run",
    "quick": "Quick run",
    "check": "Check: says only that everything runs",
}


def store(experiment: Experiment, scale: str, measured: Measured, facts: Mapping[str, Any], out: Path) -> Path:
    """Stores a result, and writes the experiment's page anew.

    Args:
        experiment: what was measured.
        scale: full, medium, quick or check.
        measured: what was found.
        facts: of the machine and the run.
        out: the folder.

    Returns:
        The page.
    """
    name = f"{experiment.name}-{scale}"
    # Through JSON first, so that what is written up is what is stored.
    text = json.dumps({"name": name, **facts, **measured.data}, indent=1, ensure_ascii=False) + "\n"
    write_text(out / f"{name}.json", text)
    for ending, content in measured.images.items():
        write_whole(out / f"{name}-{ending}.png", partial(_fill, content=content))
    return write_up(experiment, out)


def write_up(experiment: Experiment, out: Path) -> Path:
    """Writes an experiment's page and plots from the results that are stored in a folder; returns the page."""
    results = stored(experiment, out)
    for scale, result in results.items():
        write_text(out / f"{experiment.name}-{scale}.svg", experiment.plot(result) + "\n")
    page = out / f"{experiment.name}.md"
    write_text(page, experiment_page(experiment, results))
    return page


def stored(experiment: Experiment, out: Path) -> dict[str, dict[str, Any]]:
    """The results that stand in a folder, by scale.

    Raises:
        DatasetError: if one is damaged.
    """
    found = {}
    for scale in SCALES:
        file = out / f"{experiment.name}-{scale}.json"
        if file.is_file():
            try:
                found[scale] = json.loads(file.read_text(encoding="utf-8"))
            except ValueError as error:
                raise DatasetError(f"{file}: not a stored result ({error}); remove it and run again") from None
    return found


def experiment_page(experiment: Experiment, results: Mapping[str, dict[str, Any]]) -> str:
    """An experiment's page, from its results by scale."""
    parts = [f"# {experiment.title}", experiment.claim, experiment.method]
    if "full" not in results:
        parts.append(_not_in_full(experiment))
    for scale in SCALES:
        if scale in results:
            parts += _section(experiment, scale, results[scale])
    parts.append(f"Written by `python -m papers {experiment.name}` from the stored results; [all of them](README.md).")
    return "\n\n".join(parts) + "\n"


def index_page(experiments: Sequence[Experiment], out: Path) -> str:
    """The folder's first page: what there is, and how far each experiment was run."""
    rows = []
    for experiment in experiments:
        results = stored(experiment, out)
        if results:
            how = next(scale for scale in SCALES if scale in results)
            minutes = _seconds(results[how]) / 60
            rows.append([f"[{experiment.title}]({experiment.name}.md)", f"**{how}**", f"{minutes:.0f} min"])
        else:
            rows.append([experiment.title, "not run yet", ""])
    return (
        "# The papers' claims, measured again\n\n"
        "`python -m papers NAME --quick` measures a claim with small networks and few pictures, in 3 to 45 minutes "
        "on two cores; `--full` follows the paper's recipe (with batch normalisation, without which its network did "
        "not start to learn in our trials) and wants a GPU; `--medium` is in between "
        "([full runs](../full-runs.md)). Pages, tables and plots are written by the program from the "
        "JSON files beside them. **A quick run shows whether a claim's direction appears at a small "
        "scale; it neither confirms nor refutes the paper's figures.**\n\n"
        + table(["experiment", "run", "wall clock"], rows)
        + "\n"
    )


def _not_in_full(experiment: Experiment) -> str:
    return (
        "> **Not run in full so far**, for want of a GPU. What stands below is not the paper's setting. To run it: "
        f"`python -m papers {experiment.name} --full`."
    )


def _section(experiment: Experiment, scale: str, result: dict[str, Any]) -> list[str]:
    parts = [f"## {_LABELS[scale]}"]
    if scale != "full":
        full = asdict(experiment.scales["full"])
        parts.append(f"Other than in the full run: {apart(result['settings'], full)}.")
    parts.append(f"![{experiment.title}]({experiment.name}-{scale}.svg)")
    parts.append(experiment.words(result))
    parts.append(_facts(result))
    return parts


def _facts(result: dict[str, Any]) -> str:
    here = result["machine"]
    machines = result.get("trained_on", [here])
    settings = [[in_words(name), shown(value)] for name, value in flat(result["settings"])]
    where = "; ".join(
        f"{each['processor']}, {each['cores']} cores, {' and '.join(each['accelerators']) or 'no GPU'}, "
        f"{', '.join(f'{name} {number}' for name, number in each['packages'].items())}"
        for each in machines
    )
    computed = sorted({run["precision"] for run in result.get("runs", []) if "precision" in run})
    rows = [
        *settings,
        *([["computed in", " and ".join(f"{each} precision" for each in computed)]] if computed else []),
        ["data", result["data"]],
        ["trained on", where],
        [
            "time",
            f"{_seconds(result):,.0f} s by the clock, whatever ran beside; with the training that was done before",
        ],
        ["finished", here["date"]],
    ]
    return "<details><summary>Settings and facts</summary>\n\n" + table(["", ""], rows) + "\n\n</details>"


def _seconds(result: dict[str, Any]) -> float:
    return float(result["seconds"] + result.get("reused_seconds", 0.0))


def write_text(path: Path, text: str) -> None:
    """Writes a text whole or not at all."""
    write_whole(path, partial(_fill, content=text.encode()))


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
