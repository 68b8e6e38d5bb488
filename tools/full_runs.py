"""Every experiment in full, in as many sittings as it takes: what is done is not done again.

    python -m tools.full_runs [--limit MINUTES] [--plan]

First it says what is to be done and about how long that takes, from steps that it times on this machine. At the
limit it stops; the same command goes on from the last whole epoch. All of it is in one folder, which may be carried to
another machine. `python -m tools.full_runs --publish DIR` copies what is finished, and writes the pages there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from papers.catalogue import EXPERIMENTS, write_pages
from papers.cifar10 import Cifar10, load_cifar10

from boxless.system.files import write_whole
from boxless.system.machine import LEARNING, machine

CHECK = "device-check"

_LEAST = 20.0
"""Seconds below which nothing is begun."""

_GRACE = 60.0
"""Seconds that a stopped experiment has to end by itself."""

_ORDER = ("gap-gmp", "nin-heads", "translation", "confidence-maps")
"""The short one first; the last two look at networks of the second."""


@dataclass(frozen=True)
class Sitting:
    """What is common to the pieces of a sitting.

    Attributes:
        folder: for results, networks and checkpoints.
        scale: of the experiments.
        data: see `python -m papers`; None looks in $BOXLESS_DATA.
        end: the time.monotonic() at which it stops.
    """

    folder: Path
    scale: str
    data: Path | None
    end: float

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()

    def done(self, name: str) -> bool:
        """Whether an experiment is finished."""
        return (self.folder / f"{name}-{self.scale}.json").is_file()

    def run(self, name: str) -> str:
        """Runs an experiment, in a process of its own: "finished", "stopped" at the limit, or "failed"."""
        command = ["papers", name, f"--{self.scale}", "--out", str(self.folder)]
        data = ["--data", str(self.data)] if self.data else []
        return self.call([sys.executable, "-m", *command, *data])

    def call(self, command: Sequence[str]) -> str:
        """Runs a command until it ends, or the sitting does."""
        # A shell's jobs in the background ignore Ctrl-C, and their children too, unless it has a handler here.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        child = subprocess.Popen(command, env=self.environment)
        try:
            return "finished" if child.wait(max(0.0, self.left)) == 0 else "failed"
        except subprocess.TimeoutExpired:
            # As by Ctrl-C; whatever it is in, it goes on from the last whole epoch.
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            return "stopped"

    @property
    def environment(self) -> dict[str, str]:
        """Of the processes: networks are kept in the folder too."""
        return {**os.environ, "BOXLESS_CACHE": str(self.folder.resolve() / "cache")}


def plan(sitting: Sitting, checked: dict[str, Any], data: Cifar10) -> list[tuple[str, str, float]]:
    """What is to be done: (experiment, in words, about how many seconds), in its order.

    Args:
        sitting: at hand.
        checked: what `tools.device_check` found.
        data: CIFAR-10.
    """
    from papers.train import Trainer

    measured = a_step_of(checked)
    a_step, batch = float(measured["seconds a step"]), int(measured["batch"])
    found: list[tuple[str, str, float]] = []
    trained: set[tuple[str, int]] = set()
    for name in _ORDER:
        settings = EXPERIMENTS[name].scales[sitting.scale]
        if sitting.done(name):
            found.append((name, "finished before", 0.0))
        elif name == "gap-gmp":
            # Ten classes at most; a picture of 224 x 224 costs about as much as two of 32 x 32 in Network in Network.
            shown = 2 * settings.seeds * settings.epochs * settings.train * 10
            shown *= 1.0 if settings.learns == "everything" else 0.3
            found.append((name, f"{2 * settings.seeds} networks at {settings.side} pixels", 2 * shown / batch * a_step))
        else:
            recipe = settings.recipe
            trainer = Trainer(recipe, data)
            heads = getattr(settings, "heads", ("gap",))
            seeds = range(settings.seeds) if hasattr(settings, "seeds") else (settings.seed,)
            wanted = {(head, seed) for seed in seeds for head in heads}
            to_do = [recipe.epochs - trainer.epochs_done(*each) for each in wanted - trained]
            networks, epochs = sum(each > 0 for each in to_do), sum(to_do)
            steps = epochs * -(-recipe.train // recipe.batch)
            # A network is shown pictures in a third of the time that it learns from them.
            looks = len(wanted) * getattr(settings, "pictures", 0) * (4 * len(getattr(settings, "shifts", ())) + 1)
            what = f"{networks} networks more, {epochs} epochs to do" if epochs else "of networks above"
            found.append((name, what, (steps + looks / 3 / batch) * a_step))
            trained |= wanted
    return found


def a_step_of(checked: dict[str, Any]) -> dict[str, float]:
    """The step in the precision that the experiments of its scale compute in on this machine.

    Args:
        checked: what `tools.device_check` found.
    """
    half = EXPERIMENTS["nin-heads"].scales[checked["scale"]].recipe.half_precision and checked["half precision"]
    return dict(half or checked["single precision"])


def say_plan(steps: Sequence[tuple[str, str, float]], limit: float) -> None:
    """Prints it."""
    for name, what, seconds in steps:
        print(f"{name:<17}{what:<36}{_about(seconds)}")
    whole = sum(seconds for *_, seconds in steps)
    print(f"{'all':<17}{'':<36}{_about(whole)}")
    if whole > 60 * limit:
        print(
            f"That is more than the limit of {limit:g} minutes: it stops there, maybe in the middle of a network, and "
            f"about {whole / 60 / limit:.0f} sittings of the same command finish it."
        )


def sit(sitting: Sitting, steps: Sequence[tuple[str, str, float]], checked: dict[str, Any]) -> int:
    """Does what is to be done, as far as the time goes; writes down each sitting. Returns the exit status."""
    begun, said = time.monotonic(), {}
    for name, *_ in steps:
        if sitting.done(name):
            continue
        if sitting.left < _LEAST:
            said[name] = "not begun"
            continue
        print(f"{name} ...", flush=True)
        said[name] = sitting.run(name)
    file = sitting.folder / "sittings.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    seconds = round(time.monotonic() - begun, 1)
    sittings = [*before, {"scale": sitting.scale, "seconds": seconds, "machine": checked["machine"], "did": said}]
    text = json.dumps(sittings, indent=1) + "\n"
    write_whole(file, lambda beside: beside.write_text(text, encoding="utf-8"))
    for name, how in said.items():
        print(f"{name:<17}{how}")
    left = [name for name, how in said.items() if how != "finished"]
    if left:
        print(f"Not finished: {', '.join(left)}. The same command goes on.")
    else:
        print(f"Nothing is left to do: python -m tools.full_runs --out {sitting.folder} --publish docs/reproduction")
    return 1 if "failed" in said.values() else 0


def publish(folder: Path, out: Path) -> None:
    """Copies results that are finished, and writes the pages of a folder anew."""
    names = {f"{name}-{scale}" for name in EXPERIMENTS for scale in ("medium", "full")}
    for file in sorted(folder.iterdir()):
        if file.stem.removesuffix("-mean") in names and file.suffix in (".json", ".png"):
            write_whole(out / file.name, partial(shutil.copyfile, file))
            print(out / file.name)
    write_pages(out)


def check(sitting: Sitting) -> dict[str, Any]:
    """What `tools.device_check` found on this very machine; made where there is none."""
    file = sitting.folder / f"{CHECK}-{sitting.scale}.json"
    if file.is_file():
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if {**found["machine"], "date": ""} == {**machine(LEARNING), "date": ""}:
            return found
    how = sitting.call(
        [sys.executable, "-W", "ignore", "-m", "tools.device_check", str(file), "--scale", sitting.scale]
    )
    if how != "finished":
        sys.exit(f"the check of the machine has {how}: nothing is begun")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s" if seconds >= 1 else ""
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def main() -> int:
    """Says what is to be done, and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("full-runs"), help="folder of results and checkpoints")
    parser.add_argument("--limit", type=float, default=25.0, metavar="MINUTES", help="of this sitting")
    parser.add_argument("--scale", default="full", choices=("check", "quick", "medium", "full"))
    parser.add_argument("--data", type=Path, help="CIFAR-10 and tiny10, as for python -m papers")
    parser.add_argument("--plan", action="store_true", help="only say what is to be done")
    parser.add_argument("--publish", type=Path, metavar="DIR", help="copy what is finished there, and write the pages")
    given = parser.parse_args()
    if given.publish:
        publish(given.out, given.publish)
        return 0
    sitting = Sitting(given.out, given.scale, given.data, time.monotonic() + 60 * given.limit)
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ["BOXLESS_CACHE"] = sitting.environment["BOXLESS_CACHE"]
    checked = check(sitting)
    if not checked["GPUs"]:
        print("No GPU here: this runs on the processor, which takes very long.")
    steps = plan(sitting, checked, load_cifar10(given.data))
    say_plan(steps, given.limit)
    return 0 if given.plan else sit(sitting, steps, checked)


if __name__ == "__main__":
    sys.exit(main())
