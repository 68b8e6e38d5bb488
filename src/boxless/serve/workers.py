"""A fixed number of workers before a queue of bounded length, in which a large image never stands in the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

from boxless.serve.limits import Limits
from boxless.serve.problems import ClientGone, Problem

Result = TypeVar("Result")

_MEMORY = 0.9  # of the running mean of a job's time


@dataclass(eq=False)
class _Job:
    """A job that waits or runs."""

    run: Callable[[float], Any]
    large: bool
    submitted: float = field(default_factory=time.perf_counter)
    future: Future[Any] = field(default_factory=Future)


class Workers:
    """Runs jobs in threads. Decoding and networks leave the interpreter free, so threads use all cores.

    Jobs start in the order in which they came, with two exceptions. One large job runs at a time: those behind it
    overtake the other large ones. And after a large job an ordinary one goes first, so that a single worker does not
    answer a row of large ones while everybody else waits.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="boxless-serve")
        self._lock = threading.RLock()  # a future that is cancelled calls back within it
        self._queue: list[_Job] = []
        self._running: list[_Job] = []
        self._last_was_large = False
        self._stopped = False
        self._seconds = 0.05  # a first guess of what a job takes

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Jobs that workers are processing."""
        return len(self._running)

    def check_room(self, *, large: bool = False) -> None:
        """Makes sure that a job would be taken now, of large ones fewer may wait; a Problem if the queue is full."""
        limits = self._limits
        pending = len(self._queue) + len(self._running)
        waiting_large = sum(job.large for job in self._queue)
        if pending >= limits.workers + limits.queue:
            found = f"{pending} images are under way or waiting"
        elif large and waiting_large >= limits.large_queue:
            found = f"{waiting_large} images as large as this one are waiting"
        else:
            return
        seconds = min(60, max(1, ceil(pending * self._seconds / limits.workers)))
        raise Problem(503, "queue-full", f"{found}; try again in {seconds} s", {"Retry-After": str(seconds)})

    async def run(
        self, job: Callable[[float], Result], gone: Callable[[], Coroutine[Any, Any, None]], *, large: bool = False
    ) -> Result:
        """Runs a job in a thread as soon as it may start, called with the seconds that it waited.

        When `gone` returns, nobody waits for the result any more: a job that still waits is dropped (ClientGone). A
        Problem if the queue is full, or the result does not come in time.
        """
        self.check_room(large=large)
        result: asyncio.Future[Any] = asyncio.wrap_future(self._submit(_Job(job, large)))
        hung_up: asyncio.Future[Any] = asyncio.ensure_future(gone())
        try:
            done, _ = await asyncio.wait(
                {result, hung_up}, timeout=self._limits.answer_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if result in done:
                done_job: Result = result.result()
                return done_job
            if hung_up in done:
                raise ClientGone
            raise Problem(
                503,
                "took-too-long",
                f"no answer within {self._limits.answer_seconds:g} s; try again later, or with a smaller image",
                {"Retry-After": "5"},
            )
        finally:
            hung_up.cancel()
            result.cancel()

    def stop(self) -> None:
        """Lets the workers go; what waits is dropped."""
        with self._lock:
            self._stopped = True
            for job in list(self._queue):
                job.future.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, job: _Job) -> Future[Any]:
        with self._lock:
            if self._stopped:
                raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "10"})
            self._queue.append(job)
        job.future.add_done_callback(lambda _: self._drop(job))
        self._start_what_may()
        return job.future

    def _drop(self, job: _Job) -> None:
        """Takes a job out of the queue that nobody waits for any more."""
        with self._lock:
            if job in self._queue:
                self._queue.remove(job)

    def _start_what_may(self) -> None:
        with self._lock:
            while len(self._running) < self._limits.workers and (job := self._next()):
                self._queue.remove(job)
                if not job.future.set_running_or_notify_cancel():
                    continue
                self._running.append(job)
                self._last_was_large = job.large
                self._pool.submit(self._work, job)

    def _next(self) -> _Job | None:
        """The job to start now, if there is one that may."""
        ordinary = next((job for job in self._queue if not job.large), None)
        if any(job.large for job in self._running) or (self._last_was_large and ordinary):
            return ordinary
        return self._queue[0] if self._queue else None

    def _work(self, job: _Job) -> None:
        start = time.perf_counter()
        try:
            result, error = job.run(start - job.submitted), None
        except BaseException as raised:  # it belongs to whoever waits for the result
            result, error = None, raised
        with self._lock:
            self._running.remove(job)
            self._seconds += (1 - _MEMORY) * (time.perf_counter() - start - self._seconds)
        self._start_what_may()
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
