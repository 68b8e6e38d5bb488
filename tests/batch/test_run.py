"""Batch inference: whole shards, resumed; what differs is refused; two do not meet; nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.batch.conftest import job, rows_in

from boxless import Localizer
from boxless.batch import run as running
from boxless.batch.folder import LocalFolder, folder_at
from boxless.batch.job import Job, Settings
from boxless.batch.rows import class_map
from boxless.batch.run import run
from boxless.errors import (
    BoxlessError,
    DiskSpaceError,
    MissingExtraError,
    ResultsError,
    UnknownClassError,
    UnknownPresetError,
)
from boxless.imaging.read import images_in
from boxless.locate_options import LocateOptions
from boxless.models.zoo import DEFAULT_MODEL


def parts(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("part-*"))


def test_rows_are_those_of_the_localizer(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(job(album, out, settings=Settings(preset="fast", locate=LocateOptions(top=2))))
    assert (done.images, done.failed, done.before) == (7, 1, 0)
    assert parts(out) == ["part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl"]
    expected = [found.to_dict() for found in Localizer(DEFAULT_MODEL, "fast").locate_many(images_in(album), top=2)]
    assert rows_in(out) == expected
    assert "not an image" in expected[5]["error"]


def test_parquet_and_json_hold_the_same(album: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra batch")
    run(job(album, tmp_path / "json"))
    run(job(album, tmp_path / "parquet", format="parquet"))
    read = [
        row for part in parts(tmp_path / "parquet") for row in pq.read_table(tmp_path / "parquet" / part).to_pylist()
    ]
    assert read == rows_in(tmp_path / "json")


def test_parquet_without_its_extra_is_told_before_a_image_is_looked_at(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"parquet \(jsonl does not\) needs pyarrow .*boxless\[batch\]"):
        run(job(album, tmp_path / "out", format="parquet"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kind", "off"), [("float16", 1e-3), ("uint8", 1 / 500)])
def test_maps_are_kept_on_request(coffee: Path, tmp_path: Path, kind: str, off: float) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra batch")
    run(job(coffee, tmp_path, format="parquet", settings=Settings(DEFAULT_MODEL, "fast", maps=kind)))
    (row,) = pq.read_table(tmp_path / "part-00000.parquet").to_pylist()
    expected = Localizer(DEFAULT_MODEL, "fast").locate(coffee).predictions[0].class_map
    assert expected is not None
    assert class_map(row["predictions"][0]) == pytest.approx(expected, abs=off * float(expected.max()))
    with pytest.raises(ResultsError, match="Parquet only"):
        job(coffee, tmp_path, settings=Settings(maps=kind))


def test_what_is_done_is_not_done_again(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(job(album, tmp_path / "out"))
    before = rows_in(tmp_path / "out")
    (tmp_path / "out/part-00001.jsonl").unlink()
    looked_at = []
    again = run(job(album, tmp_path / "out"), on_progress=lambda images, failures: looked_at.append(images))
    assert (again.images, again.failed, again.before, sum(looked_at)) == (7, 1, 4, 3)
    assert rows_in(tmp_path / "out") == before
    monkeypatch.setattr(Localizer, "locate_many", None)  # nothing to do: nothing is looked at
    monkeypatch.setattr(running, "rows", lambda localizer, items, settings: iter([*items]))
    assert run(job(album, tmp_path / "out")).before == 7


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("left", [0, 0.5, -1])
def test_a_damaged_shard_is_made_again(album: Path, tmp_path: Path, kind: str, left: float) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="needs the extra batch")
    run(job(album, tmp_path / "out", format=kind))
    shard = tmp_path / f"out/part-00001.{kind}"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: int(left * len(whole)) if left >= 0 else -1])
    assert run(job(album, tmp_path / "out", format=kind)).before == 4
    assert shard.read_bytes() == whole


def test_a_shard_that_lacks_its_last_rows_is_made_again(album: Path, tmp_path: Path) -> None:
    run(job(album, tmp_path / "out"))
    shard = tmp_path / "out/part-00001.jsonl"
    whole = shard.read_text()
    shard.write_text("".join(whole.splitlines(keepends=True)[:2]))
    run(job(album, tmp_path / "out"))
    assert shard.read_text() == whole


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": Settings(preset="balanced")}, "preset fast then, balanced now"),
        ({"settings": Settings(preset="fast", locate=LocateOptions(top=3))}, "top none then, 3 now"),
        (
            {"settings": Settings(preset="fast", locate=LocateOptions(classes=("cup",)))},
            r"classes none then, \[968\] now",
        ),
        ({"settings": Settings(preset="fast", model="efficientnet-lite0-int8")}, "model efficientnet-lite0, SHA-256"),
        ({"shard": 4}, "images per shard 3 then, 4 now"),
        ({"format": "parquet"}, "format jsonl then, parquet now"),
    ],
)
def test_other_settings_are_refused(coffee: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    run(job(coffee, tmp_path))
    before = (tmp_path / "part-00000.jsonl").read_bytes()
    with pytest.raises(ResultsError, match=said):
        run(job(coffee, tmp_path, **change))
    assert (tmp_path / "part-00000.jsonl").read_bytes() == before


def test_other_images_are_refused(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(job(album, out))
    extra = album / "b/11.jpg"
    extra.write_bytes((album / "a.jpg").read_bytes())
    with pytest.raises(ResultsError, match=r"part-00001.jsonl has \S*b/9.jpg as its image 1, where \S*b/11.jpg is now"):
        run(job(album, out))
    extra.rename(album / "z.jpg")
    with pytest.raises(ResultsError, match=r"it ended after 7 images, and now \S*z.jpg follows"):
        run(job(album, out))
    (album / "z.jpg").unlink()
    (album / "c/d/rocket.jpg").unlink()
    with pytest.raises(ResultsError, match="and now the images end before"):
        run(job(album, out))
    assert run(job(album, out), resume=False, force=True).images == 6
    assert len(rows_in(out)) == 6


def test_images_that_come_after_whole_shards_are_refused_too(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(job(album, out, shard=7))
    (album / "z.jpg").write_bytes((album / "a.jpg").read_bytes())
    with pytest.raises(ResultsError, match="it ended after 7 images"):
        run(job(album, out, shard=7))


def test_results_are_replaced_only_by_force(coffee: Path, tmp_path: Path) -> None:
    run(job(coffee, tmp_path))
    with pytest.raises(ResultsError, match="--no-resume --force"):
        run(job(coffee, tmp_path), resume=False)


def test_a_folder_of_somebody_elses_is_left_alone(coffee: Path, tmp_path: Path) -> None:
    (tmp_path / "part-00000.jsonl").write_text("theirs\n")
    with pytest.raises(ResultsError, match=r"no run\.json"):
        run(job(coffee, tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"a file \(expected a folder"):
        run(job(coffee, tmp_path / "file"))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (Settings(preset="quick"), UnknownPresetError),
        (Settings(locate=LocateOptions(classes=("tabbi",))), UnknownClassError),
    ],
)
def test_wrong_names_leave_no_folder(
    coffee: Path, tmp_path: Path, settings: Settings, error: type[BoxlessError]
) -> None:
    with pytest.raises(error):
        run(job(coffee, tmp_path / "out", settings=settings))
    assert not (tmp_path / "out").exists()


def test_a_second_run_into_the_same_folder_is_refused(album: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def second(images: int, failures: object) -> None:
        if not refused:
            with pytest.raises(ResultsError, match="another run is at work there") as said:
                run(job(album, tmp_path / "out"))
            refused.append(str(said.value))

    assert run(job(album, tmp_path / "out"), on_progress=second).images == 7
    assert f"(process {os.getpid()} on " in refused[0]


def test_no_room_left_is_a_clean_stop(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = LocalFolder.write

    def full(self: LocalFolder, name: str, content: bytes) -> None:
        if name == "part-00001.jsonl":
            monkeypatch.setattr("shutil.disk_usage", lambda folder: os.terminal_size((0, 0)) and _Usage(free=1000))
        write(self, name, content)

    monkeypatch.setattr(LocalFolder, "write", full)
    with pytest.raises(DiskSpaceError, match="the same command goes on from there"):
        run(job(album, tmp_path / "out"))
    assert parts(tmp_path / "out") == ["part-00000.jsonl"]
    monkeypatch.undo()
    assert run(job(album, tmp_path / "out")).before == 3
    assert len(rows_in(tmp_path / "out")) == 7


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_full_disk_of_the_system_is_a_clean_stop(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    run(job(album, tmp_path / "out"))
    (tmp_path / "out/part-00002.jsonl").unlink()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResultsError, match="No space left on device"):
        run(job(album, tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("_")) == [
        ".lock", "part-00000.jsonl", "part-00001.jsonl", "run.json",
    ]  # fmt: skip


def test_images_that_vanish_while_it_runs_are_rows(album: Path, tmp_path: Path) -> None:
    def vanish(images: int, failures: object) -> None:
        (album / "c/d/rocket.jpg").unlink(missing_ok=True)

    many = [album / "b"] * 20
    done = run(job([*many, album / "c"], tmp_path / "out", shard=10), on_progress=vanish)
    assert done.images == 62 or done.images == 61  # it may be gone before the folder is listed
    assert len(rows_in(tmp_path / "out")) == done.images


@pytest.mark.skipif(sys.platform == "win32", reason="a process that cannot be killed as this does it")
def test_a_killed_run_goes_on(album: Path, tmp_path: Path) -> None:
    out, listed = tmp_path / "out", tmp_path / "list.txt"
    listed.write_text(f"{album}/a.jpg\n" * 40)
    program = f"from boxless.cli import main; import sys; sys.argv = ['boxless', 'batch', {str(listed)!r}, '--out', "
    program += f"{str(out)!r}, '--shard-format', 'jsonl', '--shard-size', '4', '--preset', 'fast']; main()"
    for kills in range(3):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = len(parts(out)) if out.exists() else 0
        while child.poll() is None and (not out.exists() or len(parts(out)) == before):
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL) if child.poll() is None else None
        child.wait()
        assert len(parts(out)) > kills
    done = run(job(listed, out, shard=4))
    # The last shard may have been there without its digest when the run was killed: then it is made again.
    assert done.images == 40 and done.before >= 8
    assert [row["image"] for row in rows_in(out)] == [str(album / "a.jpg")] * 40
    assert not list(out.glob(".part*"))


def test_at_an_address(album: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra cloud")
    memory = fsspec.filesystem("memory")
    there = Job((str(album),), "memory:///results", Settings(preset="fast"), "jsonl", 3)
    assert run(there).images == 7
    run(job(album, tmp_path))
    for part in parts(tmp_path):
        assert memory.cat_file(f"/results/{part}") == (tmp_path / part).read_bytes()
    memory.rm_file("/results/part-00001.jsonl")
    assert run(there).before == 4
    lock = {"who": "process 1 on another", "at": time.time() - 30}
    memory.pipe_file("/results/lock.json", json.dumps(lock).encode())
    with pytest.raises(
        ResultsError, match=r"another run is at work there \(process 1 on another, .* killed, try again in [56]\d s"
    ):
        run(there)


@pytest.mark.parametrize(
    "lock",
    [
        json.dumps({"who": "process 1", "at": 4e9}),  # by a clock that is years ahead
        '{"who": "process 1", "at": NaN}',
        '{"who": "process 1", "at": "soon"}',
        '{"at": 1',
        "[]",
        "[" * 10_000,
        "",
        "\udcff",
    ],
)
def test_a_lock_that_makes_no_sense_keeps_nobody_out(coffee: Path, lock: str) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra cloud")
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/locked/lock.json", lock.encode("utf-8", "surrogateescape"))
    with folder_at("memory:///locked").lock():
        assert memory.exists("/locked/lock.json")
    assert not memory.exists("/locked/lock.json")


def test_an_address_where_nothing_may_be_written(coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra cloud")

    def denied(self: object, path: str, content: bytes) -> None:
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", denied)
    with pytest.raises(ResultsError, match=r"memory:///denied/\S+: permission denied .* what is done stays"):
        run(Job((str(coffee),), "memory:///denied", Settings(preset="fast"), "jsonl"))
