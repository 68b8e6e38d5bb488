"""A map over many things in threads: in order, lazily, with few under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from boxless.system.cores import usable_cores

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Results of `function`, called in threads, in the order of `items`; lazily.

    At most twice as many items as workers (one a core by default) are under way or waiting to be taken, so memory does
    not grow with the number of items. Threads, because reading images and running networks leave the interpreter free.
    An exception of `function` is raised in its place.

    Example:
        >>> list(ordered_map(abs, [-1, 2, -3], workers=2))
        [1, 2, 3]
    """
    workers = workers or usable_cores()
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="boxless") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
