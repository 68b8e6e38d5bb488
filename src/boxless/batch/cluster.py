"""Work on a Ray cluster: one task gives the pieces, an actor a core does them."""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import BoxlessError, ResultsError, first_line
from boxless.system.native_streams import silenced

if TYPE_CHECKING:
    import pyarrow as pa

_PIECE, _ASIDE, _ERROR = range(3)
"""What a row between the actors is: a piece, what is handed on untouched, or why it cannot go on."""

_UNDER_WAY = 2
"""Pieces that an actor has at a time, one in work and one waiting, so that it never waits itself."""

_STARTS = 3
"""Attempts to start a cluster on this machine."""

_ANSWER_SECONDS = 30.0
"""In which an address has to answer."""

Pieces = Callable[[], Iterator[Any]]
"""Gives the pieces, one after the other; anything that can be pickled, small."""

Work = Callable[[], Callable[[Any], Any]]
"""Makes, in an actor, what does a piece."""


@dataclass(frozen=True)
class Aside:
    """Among pieces: nothing to be done, but what the caller is to get as it is."""

    value: object


@dataclass(frozen=True)
class Cluster:
    """Where the work is done.

    Attributes:
        address: of the cluster, or "auto"; a cluster on this machine, for this run, where None.
        workers: actors, each with one core; as many as the cluster has where None.
    """

    address: str | None = None
    workers: int | None = None

    def results(self, pieces: Pieces, work: Work) -> Iterator[Any]:
        """What `work` made of each piece, as they are done, in whatever order.

        Pieces come only as fast as they are done. One whose actor or machine is lost is given to another. All machines
        must have boxless, and start from a folder of the same name if they have one.

        Args:
            pieces: is called once, in a task that needs no core.
            work: is called once in each actor.

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
            self._start()
        try:
            yield from _results(pieces, work, self.workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
        except ray.exceptions.RayError as error:
            raise ResultsError(
                f"Ray could not go on ({first_line(error)}); what is done stays, and the same command goes on from "
                "there"
            ) from None
        finally:
            if ours:
                ray.shutdown()

    def _start(self) -> None:
        """Connects, or starts a cluster here; that has 30 seconds, more than which a busy machine may need."""
        import ray

        if self.address:
            _check_answers(self.address)
        options = {} if self.address else {"num_cpus": self.workers, "include_dashboard": False}
        for attempt in range(1 if self.address else _STARTS):
            try:
                # Ray's C++ part says there which level it logs at; errors are raised.
                with silenced(1, 2):
                    ray.init(address=self.address, logging_level=logging.ERROR, log_to_driver=False, **options)
                return
            # What fails at a start of Ray is an Exception of no class of its own.
            except Exception as error:
                ray.shutdown()
                why = first_line(error)
                logging.getLogger(__name__).info("start %d of Ray failed: %s", attempt + 1, why)
        raise ResultsError(f"no Ray cluster at {self.address or 'this machine'} ({why})")


def _check_answers(address: str) -> None:
    """Makes sure that something listens at an address: Ray itself would try for many minutes, without a word."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():  # "auto", "local"
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ResultsError(f"no Ray cluster at {address} ({first_line(error)})") from None


def _results(pieces: Pieces, work: Work, workers: int) -> Iterator[Any]:
    import ray.data

    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # every row a block of its own: a piece is done as soon as it is known
    context.print_on_execution_start = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with ray.data.DataContext.current(context):
        done = ray.data.read_datasource(_source(pieces), override_num_blocks=1, num_cpus=0, concurrency=1).map_batches(
            _Actor,
            fn_constructor_args=(work, str(Path.cwd())),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=_UNDER_WAY),
        )
        for row in done.iter_rows():
            value = pickle.loads(row["value"])
            if row["kind"] == _ERROR:
                raise value
            yield value


def _source(pieces: Pieces) -> Any:  # noqa: ANN401
    """Pieces as a source of Ray Data: one task, which gives one row a piece."""
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

    folder = str(Path.cwd())

    class AllPieces(Datasource):  # type: ignore[misc]
        """See `_source`."""

        def get_read_tasks(self, parallelism: int, *args: object, **options: object) -> list[ReadTask]:
            about = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ReadTask(lambda: _rows(pieces, folder), about)]

        def estimate_inmemory_data_size(self) -> int | None:
            return None

    return AllPieces()


def _rows(pieces: Pieces, folder: str) -> Iterator[pa.Table]:
    with suppress(OSError):
        os.chdir(folder)
    try:
        for piece in pieces():
            yield _row(_ASIDE, piece.value) if isinstance(piece, Aside) else _row(_PIECE, piece)
    except BoxlessError as error:
        yield _row(_ERROR, error)


class _Actor:
    """An actor, with one core; relative paths start from `folder`."""

    def __init__(self, work: Work, folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)
        self._do = work()

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Does a piece, and says what became of it; hands on all other rows."""
        kind, content = batch["kind"][0].as_py(), batch["value"][0].as_py()
        if kind != _PIECE:
            return batch
        try:
            return _row(_PIECE, self._do(pickle.loads(content)))
        except BoxlessError as error:
            return _row(_ERROR, error)


def _row(kind: int, value: object) -> pa.Table:
    import pyarrow as pa

    return pa.table({"kind": pa.array([kind], pa.int8()), "value": pa.array([pickle.dumps(value)], pa.large_binary())})
