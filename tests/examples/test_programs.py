"""The programs that people copy do what their pages say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def run(program: str, *arguments: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_inspection_line(tmp_path: Path, images: Path) -> None:
    (tmp_path / "incoming").mkdir()
    shutil.copy(images / "coffee.jpg", tmp_path / "incoming")
    (tmp_path / "incoming/broken.png").write_bytes(b"no picture")
    shutil.copy(images / "chelsea.jpg", tmp_path / "incoming")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/chelsea.jpg.json").write_text("done before")

    said = run("inspection_line.py", "incoming", "results", "--every", 0.05, "--stop-after", 2, cwd=tmp_path)

    assert sorted(said.splitlines()) == ["broken.png unreadable", "coffee.jpg bad"]
    result = json.loads((tmp_path / "results/coffee.jpg.json").read_text(encoding="utf-8"))
    assert result["verdict"] == "bad" and "espresso" in result["defects"]
    assert len(result["predictions"][0]["box"]) == 4
    assert json.loads((tmp_path / "results/broken.png.json").read_text(encoding="utf-8"))["verdict"] == "unreadable"
    assert (tmp_path / "results/chelsea.jpg.json").read_text() == "done before"
    assert not list((tmp_path / "results").glob("*.part"))


def test_comparing_models(tmp_path: Path, images: Path) -> None:
    models = "efficientnet-lite0", "efficientnet-lite0-int8"
    said = run("compare_models.py", images, *models, "--least", 0.999, "--save", "differences", cwd=tmp_path)
    *lines, summary = said.splitlines()
    assert len(lines) == 3 and any("espresso | espresso" in line for line in lines)
    assert summary.startswith("the same class: ") and "of 3 pictures" in summary
    differing = [line for line in lines if line.startswith("differ")]
    assert differing and len(list((tmp_path / "differences").glob("*.jpg"))) == len(differing)


def test_pre_annotation(tmp_path: Path, images: Path) -> None:
    said = run("pre_annotation.py", "draft", images, "to-correct", "--preset", "fast", cwd=tmp_path)
    assert "annotations: 3 boxes in 3 pictures" in said
    assert (tmp_path / "to-correct/images/train/coffee.jpg").is_file()

    as_drafted = ("judge", "to-correct", "to-correct", "--preset", "fast")
    *_, counts, known, _ = run("pre_annotation.py", *as_drafted, cwd=tmp_path).splitlines()
    assert counts == "3 drafted boxes: 3 kept, 0 moved, 0 removed, 0 added"
    assert known.startswith("AP50, classes known: 100.0 %")

    corrected = ("judge", "to-correct", EXAMPLES / "corrected.json", "--preset", "fast")
    said = run("pre_annotation.py", *corrected, cwd=tmp_path)
    assert "kept     chelsea.jpg: Egyptian cat" in said and "moved    rocket.jpg: missile" in said
    assert "3 drafted boxes: 2 kept, 1 moved, 0 removed, 0 added" in said
