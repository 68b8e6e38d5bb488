"""Shards are as they were written, or that is said: of which, and what makes it again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.batch.conftest import job, rows_in
from tests.command_line import boxless

from boxless.batch.folder import LocalFolder
from boxless.batch.formats import FORMATS
from boxless.batch.item import Item
from boxless.batch.results import select
from boxless.batch.run import run
from boxless.batch.shards import Done, Shards
from boxless.errors import ResultsError

ITEMS = [Item(f"{number}.jpg", b"", "1 2") for number in range(3)]


def row(item: Item) -> dict[str, Any]:
    box = {"box": [1.0, 2.0, 30.5, 40.25], "score": 0.5}
    prediction = {"label": "cup", "class_index": 968, "probability": 0.75, "activation": 9.5, "detected": True}
    about = {"image": item.name, "width": 60, "height": 40, "model": "m", "preset": "fast", "maps": "exact"}
    flat = {"xyxy": [box["box"]], "scores": [0.5], "class_ids": [968], "labels": ["cup"]}
    return {**about, "predictions": [{**prediction, "box": box["box"], "boxes": [box]}], **flat, "error": None}


def to_do(shards: Shards) -> list[tuple[int, list[Item]]]:
    return [(number, list(items)) for number, items in shards.to_do(ITEMS, Done(), None)]


@pytest.fixture(params=["jsonl", "parquet"])
def shards(request: pytest.FixtureRequest, tmp_path: Path) -> Shards:
    """One shard of three images."""
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="needs the extra batch")
    made = Shards(LocalFolder(tmp_path), FORMATS[request.param], 3)
    made.write(0, ITEMS, [row(item) for item in ITEMS])
    return made


def test_rows_come_back(shards: Shards) -> None:
    assert shards.read(0, shards.kind.rows) == [row(item) for item in ITEMS]
    assert not list(shards.to_do(ITEMS, done := Done(), None)) and (done.images, done.seen) == (3, 3)


def test_every_flipped_bit_is_noticed(shards: Shards, tmp_path: Path) -> None:
    file = tmp_path / shards.name(0)
    whole = file.read_bytes()
    chance = random.Random(0)
    for _ in range(300):
        place = chance.randrange(len(whole))
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(ResultsError, match=rf"{shards.name(0)} is damaged; the command that wrote it makes it"):
            shards.read(0, shards.kind.rows)
        assert to_do(shards) == [(0, ITEMS)]


@pytest.mark.parametrize("record", ["", "[]", "{", '{"sha256": 1}', "[" * 100_000, None])
def test_a_shard_without_a_sound_record_is_made_again(shards: Shards, tmp_path: Path, record: str | None) -> None:
    file = tmp_path / "_part-00000.json"
    file.unlink() if record is None else file.write_text(record)
    assert to_do(shards) == [(0, ITEMS)]
    with pytest.raises(ResultsError, match="damaged"):
        shards.read(0, shards.kind.rows)


def test_rows_that_are_none_are_an_error(shards: Shards) -> None:
    with pytest.raises(ResultsError, match=r"part-00000\S* holds no rows"):
        shards.read(0, lambda content: json.loads(b"{" + content))


def test_replaced_images_are_located_again(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(job(album, out))
    (album / "c/broken.jpg").write_bytes((album / "a.jpg").read_bytes())
    again = run(job(album, out))
    assert (again.images, again.failed, again.before) == (7, 0, 4)
    assert again.replaced == (str(album / "c/broken.jpg"),)
    assert all(each["error"] is None for each in rows_in(out))


def test_a_finished_run_that_lacks_a_shard_says_so(album: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra batch")
    out = tmp_path / "out"
    run(job(album, out))
    (out / "part-00001.jsonl").unlink()
    assert select(str(out)).missing == ("part-00001.jsonl",)
    done = boxless("results", out, "--json")
    assert done.returncode == 1 and "part-00001.jsonl missing" in done.stderr
    assert len(done.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"finished": "x"},
        {"finished": True},
        {"finished": -1},
        {"typical_activation": "x"},
        {"typical_activation": 0},
        {"typical_activation": None},
        {"column": 1},
        {"settings": 1},
        {"settings": {"images per shard": "3"}},
        {"more": 1},
    ],
)
def test_a_manifest_that_makes_no_sense(coffee: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra batch")
    shards = Shards(LocalFolder(tmp_path), FORMATS["jsonl"], 3)
    shards.write(0, ITEMS, [row(item) for item in ITEMS])
    said = {"settings": {"images per shard": 3}, "finished": 3, "typical_activation": 10.0, "column": None}
    (tmp_path / "run.json").write_text(json.dumps({**said, "sources": []}))
    assert select(str(tmp_path)).images == 3
    for text in (json.dumps({**said, "sources": [], **change}), "[" * 100_000, "1"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(ResultsError, match=r"a damaged run\.json"):
            select(str(tmp_path))
