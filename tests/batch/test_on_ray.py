"""Ray on a real local cluster: the same bytes as one machine, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from shutil import copytree

import pytest
from tests.batch.conftest import FAST, job

from boxless.batch.job import Job, Settings
from boxless.batch.on_ray import on_ray
from boxless.batch.run import run
from boxless.errors import ResultsError

ray = pytest.importorskip("ray", reason="needs the extra ray")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.xdist_group("ray"),  # one cluster is enough for two cores
    pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be killed as this does it"),
]


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("part-*"))}


def many(coffee: Path, folder: Path, count: int) -> Path:
    """A list of one image, many times, and one that is none."""
    listed = folder / "list.txt"
    listed.write_text(f"{coffee}\n" * count + "missing.jpg\n")
    return listed


def test_what_is_damaged_becomes_the_same_bytes(cluster: None, album: Path, tmp_path: Path) -> None:
    there, here = (Job((str(album),), str(tmp_path / name), FAST, "parquet", 2) for name in ("ray", "here"))
    run(here)
    copytree(tmp_path / "here", tmp_path / "ray")
    (tmp_path / "ray/part-00001.parquet").write_bytes(b"PAR1")
    (tmp_path / "ray/part-00002.parquet").unlink()
    told: list[int] = []
    again = run(there, partial(on_ray, workers=1), lambda images, failures: told.append(images))
    assert (again.images, again.failed, again.before, sum(told)) == (7, 1, 3, 4)
    assert files(tmp_path / "ray") == files(tmp_path / "here")


def test_what_stops_a_machine_is_told(cluster: None, album: Path, tmp_path: Path) -> None:
    run(job(album, tmp_path / "out"))
    (album / "0.jpg").touch()
    with pytest.raises(ResultsError, match=r"part-00000\.jsonl has .* where \S*0.jpg is now"):
        run(job(album, tmp_path / "out"), on_ray)


def test_a_killed_actor_costs_its_shard(cluster: None, coffee: Path, tmp_path: Path) -> None:
    listed = many(coffee, tmp_path, 40)
    killed: list[int] = []

    def kill(images: int, failures: object) -> None:
        if not killed:
            killed.extend(_actors())
            os.kill(killed[0], signal.SIGKILL)

    done = run(job(listed, tmp_path / "ray", shard=4), partial(on_ray, workers=2), kill)
    assert killed and (done.images, done.failed) == (41, 1)
    run(job(listed, tmp_path / "here", shard=4))
    assert files(tmp_path / "ray") == files(tmp_path / "here")


def test_a_killed_driver_goes_on(coffee: Path, tmp_path: Path) -> None:
    listed, out = many(coffee, tmp_path, 60), tmp_path / "ray"
    program = f"""
from functools import partial
from boxless.batch.job import Job, Settings
from boxless.batch.on_ray import on_ray
from boxless.batch.run import run
run(Job(({str(listed)!r},), {str(out)!r}, Settings(preset="fast"), "jsonl", 4), partial(on_ray, workers=1))
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and len(files(out)) < 2:
        time.sleep(0.05)
    assert child.returncode is None, "it ended before it could be killed"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    done = run(job(listed, out, shard=4))
    assert done.images == 61 and 8 <= done.before < 60
    run(job(listed, tmp_path / "here", shard=4))
    assert files(out) == files(tmp_path / "here")


def test_no_cluster_there(coffee: Path, tmp_path: Path) -> None:
    if ray.is_initialized():
        pytest.skip("there is one")
    with pytest.raises(ResultsError, match=r"no Ray cluster at 127\.0\.0\.1:1"):
        run(Job((str(coffee),), str(tmp_path / "out"), Settings()), partial(on_ray, address="127.0.0.1:1"))


def _actors() -> list[int]:
    """The processes of the actors that look at images."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    mine = [line.split() for line in listed.splitlines() if "ray::MapWorker(MapBatches(_Actor))" in line]
    return [int(pid) for pid, *_ in mine]
