"""boxless batch: what is printed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.batch.conftest import album, rows_in
from tests.command_line import boxless

assert album  # a fixture

JSON = ("--shard-format", "jsonl", "--preset", "fast")


def test_rows_are_what_json_prints(images: Path, tmp_path: Path) -> None:
    model = ("--model", "efficientnet-lite0")  # boxless batch takes this one on every machine
    printed = boxless("locate", images, "--json", "--preset", "fast", "--top", 2, *model)
    done = boxless("batch", images, "--out", tmp_path / "out", *JSON, "--top", 2)
    assert done.returncode == 0, done.stderr
    assert rows_in(tmp_path / "out") == [json.loads(line) for line in printed.stdout.splitlines()]
    assert "images               3 (0 of them done before)" in done.stdout
    again = boxless("batch", images, "--out", tmp_path / "out", *JSON, "--top", 2)
    assert again.returncode == 0
    assert "images               3 (3 of them done before)" in again.stdout


def test_failures_are_told_and_are_rows(album: Path, tmp_path: Path) -> None:
    done = boxless("batch", f"{album}/**/*.jpg", "--out", tmp_path / "out", *JSON, "--shard-size", 2)
    assert done.returncode == 1
    assert f"{album / 'c/broken.jpg'}: not an image" in done.stderr
    assert [row["error"] is not None for row in rows_in(tmp_path / "out")].count(True) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "spark"], "local or ray"),
        (["--workers", "2"], "--engine ray"),
        (["--shard-format", "xml"], "parquet or jsonl"),
        (["--shard-format", "jsonl", "--keep-maps", "uint8"], "Parquet only"),
        (["--keep-maps", "int4"], "float16 or uint8"),
        (["--json"], "--json"),
        (["--class", "tabbi"], "nearest: tabby"),
    ],
)
def test_wrong_usage(coffee: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = boxless("batch", coffee, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_differs_is_told(coffee: Path, tmp_path: Path) -> None:
    assert boxless("batch", coffee, "--out", tmp_path, *JSON).returncode == 0
    done = boxless("batch", coffee, "--out", tmp_path, *JSON, "--top", 2)
    assert done.returncode == 2
    assert "top none then, 2 now" in done.stderr
    assert boxless("batch", coffee, "--out", tmp_path, *JSON, "--top", 2, "--no-resume").returncode == 2
    assert boxless("batch", coffee, "--out", tmp_path, *JSON, "--top", 2, "--no-resume", "--force").returncode == 0


def test_a_missing_source_is_told_before_there_is_a_folder(coffee: Path, tmp_path: Path) -> None:
    done = boxless("batch", coffee, tmp_path / "missing", "--out", tmp_path / "out", *JSON)
    assert done.returncode == 2
    assert "missing: no such file or folder" in done.stderr
    assert not (tmp_path / "out").exists()
