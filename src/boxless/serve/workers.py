"""A fixed number of workers before a queue of bounded length."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from typing import Any, TypeVar

from boxless.serve.limits import Limits
from boxless.serve.problems import ClientGone, Problem

Result = TypeVar("Result")

_MEMORY = 0.9  # of the running mean of a job's time


class Workers:
    """Runs jobs in threads. Decoding and networks leave the interpreter free, so threads use all cores.

    Args:
        limits: how many workers, how long a queue, how many seconds for an answer.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="boxless-serve")
        self._lock = threading.Lock()
        self._pending = 0
        self._running = 0
        self._seconds = 0.05  # a first guess of what a job takes

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._pending - self._running

    @property
    def running(self) -> int:
        """Jobs that a worker has in hand."""
        return self._running

    def check_room(self) -> None:
        """Makes sure that a job would be taken now.

        Raises:
            Problem: 503 if the queue is full.
        """
        if self._pending >= self._limits.workers + self._limits.queue:
            seconds = min(60, max(1, ceil(self._pending * self._seconds / self._limits.workers)))
            raise Problem(
                503,
                "queue-full",
                f"{self._pending} pictures are under way or waiting; try again in {seconds} s",
                {"Retry-After": str(seconds)},
            )

    async def run(self, job: Callable[[float], Result], gone: Callable[[], Coroutine[Any, Any, None]]) -> Result:
        """Runs a job as soon as a worker is free.

        Args:
            job: is called in a thread, with the seconds that it waited.
            gone: returns when nobody waits for the result any more; a job that still waits is then dropped.

        Raises:
            Problem: 503 if the queue is full, or the result does not come in time.
            ClientGone: when `gone` returns first.
        """
        self.check_room()
        future = self._submit(job)
        result: asyncio.Future[Any] = asyncio.wrap_future(future)
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
                f"no answer within {self._limits.answer_seconds:g} s; try again later, or with a smaller picture",
                {"Retry-After": "5"},
            )
        finally:
            hung_up.cancel()
            result.cancel()

    def stop(self) -> None:
        """Lets the workers go; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, job: Callable[[float], Result]) -> Future[Result]:
        with self._lock:
            self._pending += 1
        submitted = time.perf_counter()

        def timed() -> Result:
            start = time.perf_counter()
            with self._lock:
                self._running += 1
            try:
                return job(start - submitted)
            finally:
                with self._lock:
                    self._running -= 1
                    self._seconds += (1 - _MEMORY) * (time.perf_counter() - start - self._seconds)

        try:
            future = self._pool.submit(timed)
        except RuntimeError:  # the pool is shut down
            self._left(None)
            raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "10"}) from None
        future.add_done_callback(self._left)
        return future

    def _left(self, _: object) -> None:
        with self._lock:
            self._pending -= 1
