"""Addresses that answer late or never."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.batch.conftest import job, rows_in
from tests.batch.test_walk import names

from boxless.batch import folder, remote
from boxless.batch.results import select
from boxless.batch.run import run
from boxless.errors import DatasetError, ResultsError

pytest.importorskip("fsspec", reason="needs the extra cloud")
pytest.importorskip("aiohttp", reason="needs the extra cloud")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that takes connections and never answers."""
    for module in (remote, folder):
        monkeypatch.setattr(module, "TIMEOUT", 0.3)
    monkeypatch.setattr(remote, "_PAUSES", (0.0,))
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("source", ["list.txt", "shard.tar", "shard.parquet", "folder"])
def test_a_source_that_never_answers(silent: str, source: str) -> None:
    start = time.monotonic()
    with pytest.raises(DatasetError, match=rf"{silent}/{source}: cannot be read .*no answer within"):
        names(f"{silent}/{source}")
    assert time.monotonic() - start < 20


def test_an_image_that_never_comes_is_a_row(silent: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{silent}/a.jpg\n")
    assert run(job(tmp_path / "list.txt", tmp_path / "out")).failed == 1
    assert "no answer within" in rows_in(tmp_path / "out")[0]["error"]


def test_results_that_never_answer(silent: str, coffee: Path) -> None:
    with pytest.raises(ResultsError, match=rf"{silent}/out: cannot be read or written \(no answer within"):
        run(replace(job(coffee, Path("out")), out=f"{silent}/out"))
    pytest.importorskip("pyarrow", reason="needs the extra batch")
    with pytest.raises(ResultsError, match="no answer within"):
        select(f"{silent}/out")


def test_a_store_whose_own_clock_runs_out_says_how_long_it_was_waited_for() -> None:
    with pytest.raises(TimeoutError, match="no answer within 30 s"), remote.as_os_errors():
        raise TimeoutError
    with pytest.raises(DatasetError, match="no answer within 30 s"), remote.explained("s3://some"):
        raise TimeoutError
