from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from tests.command_line import boxless

from boxless.cli.inputs import inputs_of


def written(folder: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (40 * i, 90, 120)).save(folder / name)
    return folder


def places(paths: Sequence[object], save: Path | None = None) -> list[str]:
    return [each.place for each in inputs_of([str(path) for path in paths], save, None, None)]


def test_a_folder_is_mirrored(tmp_path: Path) -> None:
    assert places([written(tmp_path, "a-2.jpg", "p/a.jpg", "q/a.jpg")]) == ["a-2", "p/a", "q/a"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_leads_in_a_circle_fails_alone(tmp_path: Path) -> None:
    written(tmp_path, "a.jpg")
    (tmp_path / "b_found.jpg").symlink_to("b_found.jpg")
    assert [each.place for each in inputs_of([str(tmp_path)], tmp_path / "out", None, tmp_path / "sheet.png")] == [
        "a",
        "b_found",
    ]


def test_several_folders_each_have_one_of_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "p/a.jpg", "q/r/a.jpg", "q/b.jpg", "c.jpg")
    monkeypatch.chdir(tmp_path / "p")
    assert places([".", "../q", "../c.jpg", "-"]) == ["p/a", "q/b", "q/r/a", "c", "stdin"]


def test_what_would_share_a_name_is_numbered_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "p/a.jpg", "p/a.png", "q/A.jpg", "a-2.jpg")
    single = [tmp_path / name for name in ("p/a.jpg", "p/a.png", "q/A.jpg", "a-2.jpg")]
    assert places(single, tmp_path / "out") == ["a", "a-3", "A-4", "a-2"]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"{single[1]}: saved as a-3, since there is another a"
    assert len(said) == 2


def test_a_name_that_no_system_takes_fails_alone(tmp_path: Path) -> None:
    image = written(tmp_path, "a.jpg") / "a.jpg"
    done = boxless("locate", f"{'long' * 100}.jpg", image, "--preset", "fast", "--json")
    assert done.returncode == 1 and "cannot be accessed" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["image"] == str(image)


def test_no_image_is_lost(tmp_path: Path) -> None:
    folder, out = written(tmp_path / "in", "p/a.jpg", "q/a.jpg", "p/a-2.jpg", "p/a.png"), tmp_path / "out"
    done = boxless("locate", folder, "--preset", "fast", "--save", out, "--save-maps", out)
    assert done.returncode == 0
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*_found.jpg"))
    assert found == ["p/a-2_found.jpg", "p/a-3_found.jpg", "p/a_found.jpg", "q/a_found.jpg"]
    assert len(list(out.rglob("*.npy"))) == 4


def test_a_run_does_not_read_what_another_drew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(written(tmp_path, "p/a.jpg", "b.jpg"))
    command = ("locate", ".", "--preset", "fast", "--save", "found", "--sheet", "sheet.png", "--force", "--json")
    first, second = boxless(*command), boxless(*command)
    assert [json.loads(line)["image"] for line in second.stdout.splitlines()] == ["b.jpg", "p/a.jpg"]
    assert first.stdout == second.stdout
    assert "skipped" not in first.stderr
    assert "skipped, drawn by an earlier run: found/b_found.jpg and 2 more\n" in second.stderr
    assert len(list((tmp_path / "found").rglob("*.jpg"))) == 2
