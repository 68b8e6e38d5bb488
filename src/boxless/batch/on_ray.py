"""The engine of many machines: the shards of a run by Ray Data, an actor a core."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless import zoo
from boxless.batch.item import Item
from boxless.batch.job import Job
from boxless.batch.rows import rows
from boxless.batch.run import Tell, failures, write_shard
from boxless.batch.shards import Done, Shards
from boxless.errors import BoxlessError, ResultsError, first_line
from boxless.model_file import find_model

if TYPE_CHECKING:
    import pyarrow as pa

_SHARD, _END, _ERROR = range(3)
"""What a row between the actors is: a shard, the end of all, or why it cannot go on."""

_UNDER_WAY = 2
"""Shards that an actor has at a time, one in work and one waiting, so that it never waits itself."""

_STARTS = 3
"""Attempts to start a cluster on this machine."""

_THREADS = 2
"""Threads of an actor: while one runs the network on its core, the other reads the next picture."""


def on_ray(
    job: Job, shards: Shards, done: Done, tell: Tell, *, address: str | None = None, workers: int | None = None
) -> None:
    """Does the shards that are to do on a Ray cluster; see `boxless.batch.run.Engine`.

    One task walks through the names; each actor takes a shard, looks at its pictures and writes its file itself. The
    names come only as fast as shards are done. A shard whose actor or machine is lost is given to another. All machines
    must reach the sources and the folder by the same names, and have boxless.

    Args:
        job, shards, done, tell: see `Engine`.
        address: of the cluster, or "auto"; a cluster on this machine, for this run, where None.
        workers: actors, each with one core; as many as the cluster has where None.

    Raises:
        ResultsError: if the cluster cannot be reached, or lost what cannot be made again.
        BoxlessError: whatever a machine could not go on for.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers unless this is set
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its warnings are about its own inside
    import ray
    import ray.data

    ours = not ray.is_initialized()
    if ours:
        _start(address, workers)
    try:
        _do(job, shards, done, tell, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
    except ray.exceptions.RayError as error:
        raise ResultsError(
            f"Ray could not go on ({first_line(error)}); what is done stays, and the same command goes on from there"
        ) from None
    finally:
        if ours:
            ray.shutdown()


def _start(address: str | None, workers: int | None) -> None:
    """Connects to a cluster, or starts one here; that has 30 seconds, more than which a busy machine may need."""
    import ray

    options = {} if address else {"num_cpus": workers, "include_dashboard": False}
    for attempt in range(1 if address else _STARTS):
        try:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **options)
            return
        # What fails at a start of Ray is an Exception of no class of its own.
        except Exception as error:
            ray.shutdown()
            why = first_line(error)
            logging.getLogger(__name__).info("start %d of Ray failed: %s", attempt + 1, why)
    raise ResultsError(f"no Ray cluster at {address or 'this machine'} ({why})")


def _do(job: Job, shards: Shards, done: Done, tell: Tell, workers: int) -> None:
    import ray.data

    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # every row a block of its own: a shard is done as soon as its name is known
    context.print_on_execution_start = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with ray.data.DataContext.current(context):
        results = ray.data.read_datasource(
            _source(job, shards), override_num_blocks=1, num_cpus=0, concurrency=1
        ).map_batches(
            _Worker,
            fn_constructor_args=(job, str(Path.cwd()), _content(job)),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=_UNDER_WAY),
        )
        for row in results.iter_rows():
            said = pickle.loads(row["said"])
            if row["kind"] == _ERROR:
                raise said
            if row["kind"] == _END:
                done.pictures, done.failed, done.seen = said.pictures, said.failed, said.seen
            else:
                tell(*said)


def _source(job: Job, shards: Shards) -> Any:  # noqa: ANN401
    """The shards that are to do as a source of Ray Data: one task, which gives one row a shard."""
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    folder = str(Path.cwd())

    class ShardsToDo(Datasource):  # type: ignore[misc]
        """See `_source`."""

        def get_read_tasks(self, parallelism: int, *args: object, **options: object) -> list[ReadTask]:
            about = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ReadTask(lambda: _to_do(job, shards, folder), about)]

        def estimate_inmemory_data_size(self) -> int | None:
            return None

    return ShardsToDo()


def _to_do(job: Job, shards: Shards, folder: str) -> Iterator[pa.Table]:
    with suppress(OSError):
        os.chdir(folder)
    done = Done()
    try:
        for number, items in shards.to_do(job.items(), done):
            yield _row(_SHARD, (number, list(items)))
        yield _row(_END, done)
    except BoxlessError as error:
        yield _row(_ERROR, error)


class _Worker:
    """An actor: one session of ONNX Runtime, one core.

    Args:
        job: in hand.
        folder: that relative paths start from.
        model: the model file's content; None for a model that comes with boxless.
    """

    def __init__(self, job: Job, folder: str, model: bytes | None) -> None:
        with suppress(OSError):
            os.chdir(folder)
        if model is not None:
            with tempfile.TemporaryDirectory() as place:
                file = Path(place, "model.onnx")
                file.write_bytes(model)
                self._localizer = replace(job.settings, model=str(file)).localizer(threads=1)
        else:
            self._localizer = job.settings.localizer(threads=1)
        self._job = job

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Does a shard, and says how many pictures it had and which failed; hands on all other rows."""
        kind, content = batch["kind"][0].as_py(), batch["said"][0].as_py()
        if kind != _SHARD:
            return batch
        work: tuple[int, list[Item]] = pickle.loads(content)
        number, items = work
        try:
            found = list(rows(self._localizer, items, self._job.settings, _THREADS))
            write_shard(self._job, number, found)
        except BoxlessError as error:
            return _row(_ERROR, error)
        return _row(_SHARD, (len(found), failures(found)))


def _row(kind: int, said: object) -> pa.Table:
    import pyarrow as pa

    return pa.table({"kind": pa.array([kind], pa.int8()), "said": pa.array([pickle.dumps(said)], pa.large_binary())})


def _content(job: Job) -> bytes | None:
    return None if job.settings.model in zoo.models() else find_model(job.settings.model).read_bytes()
