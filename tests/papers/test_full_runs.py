"""Sittings of the full runs: what is done is not done again, and the limit is kept."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from papers.catalogue import reproduce
from papers.cifar10 import load_cifar10
from tools.full_runs import Sitting, a_step_of, plan, publish, say_plan, sit

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CHECKED: dict[str, Any] = {
    "scale": "check",
    "machine": {"processor": "one"},
    "single precision": {"seconds a step": 0.5, "batch": 20},
    "half precision": None,
}


def sitting(folder: Path, data: Path | None = None, seconds: float = 600) -> Sitting:
    return Sitting(folder, "check", data, time.monotonic() + seconds)


def test_it_stops_at_the_limit_as_by_ctrl_c(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
try:
    time.sleep(60)
except KeyboardInterrupt:
    Path({str(tmp_path / "said")!r}).write_text("goes on from here")
"""
    assert sitting(tmp_path, seconds=5).call([sys.executable, "-c", program]) == "stopped"
    assert (tmp_path / "said").read_text() == "goes on from here"
    assert sitting(tmp_path).call([sys.executable, "-c", "raise SystemExit(2)"]) == "failed"
    assert sitting(tmp_path).call([sys.executable, "-c", ""]) == "finished"


def test_what_is_done_is_not_done_again(
    archive: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load_cifar10(archive)
    first = sitting(tmp_path, archive)
    steps = plan(first, CHECKED, data)
    assert [name for name, *_ in steps] == ["gap-gmp", "nin-heads", "translation", "confidence-maps"]
    told = {name: what for name, what, _ in steps}
    # Another test may have trained these networks in this cache; then there is nothing more to do.
    assert told["nin-heads"] in ("4 networks more, 4 epochs to do", "of networks above")
    assert told["translation"] == told["confidence-maps"] == "of networks above"

    reproduce("confidence-maps", "check", tmp_path, archive)
    steps = plan(sitting(tmp_path, archive), CHECKED, data)
    assert ("confidence-maps", "finished before", 0.0) in steps
    assert {name: what for name, what, _ in steps}["nin-heads"] in (
        "3 networks more, 3 epochs to do",
        "of networks above",
    )
    say_plan(steps, 0.01)
    assert "sittings of the same command finish it" in capsys.readouterr().out

    ran: list[str] = []

    def run(self: Sitting, name: str) -> str:
        ran.append(name)
        return "stopped" if name == "translation" else "finished"

    monkeypatch.setattr(Sitting, "run", run)
    assert sit(sitting(tmp_path, archive), steps, CHECKED) == 0
    assert ran == ["gap-gmp", "nin-heads", "translation"]
    assert "Not finished: translation. The same command goes on." in capsys.readouterr().out
    assert sit(sitting(tmp_path, archive, seconds=1), steps, CHECKED) == 0
    assert len(ran) == 3, "there was no time to begin anything"
    sittings = json.loads((tmp_path / "sittings.json").read_text())
    assert [each["did"]["translation"] for each in sittings] == ["stopped", "not begun"]
    assert sittings[0]["machine"] == {"processor": "one"}


def test_the_step_is_that_of_the_precision_which_a_scale_has_here() -> None:
    half = {**CHECKED, "half precision": {"seconds a step": 0.25, "batch": 20}}
    assert a_step_of({**half, "scale": "medium"})["seconds a step"] == 0.25
    assert a_step_of({**CHECKED, "scale": "medium"})["seconds a step"] == 0.5
    assert a_step_of({**half, "scale": "full"})["seconds a step"] == 0.5


def test_only_what_counts_is_published(archive: Path, cache: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "runs", tmp_path / "docs"
    reproduce("confidence-maps", "check", folder, archive)
    (folder / "cache").mkdir()
    for ending in (".json", "-mean.png", "-pictures.png"):
        name = "confidence-maps-check" + ending
        (folder / name.replace("check", "full")).write_bytes((folder / name).read_bytes())
    publish(folder, out)
    found = {path.name for path in out.iterdir()}
    assert "confidence-maps-full.json" in found and "confidence-maps-full-mean.png" in found
    assert not any("check" in name or "-pictures" in name for name in found)
    assert "Full run" in (out / "confidence-maps.md").read_text()
