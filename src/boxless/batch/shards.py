"""Pictures in shards of equal size: which are done, which are to do, and whether they are still the same pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice

from boxless.batch.folder import Folder
from boxless.batch.formats import Contents, Format, names_digest
from boxless.batch.item import Item
from boxless.errors import ResultsError

_NAME = re.compile(r"part-(\d{5,})(\.\w+)")


def shard_name(number: int, suffix: str) -> str:
    """The file of a shard, such as part-00017.parquet."""
    return f"part-{number:05d}{suffix}"


def shard_number(name: str, suffix: str) -> int | None:
    """The number of a shard's file; None for other files."""
    fits = _NAME.fullmatch(name)
    return int(fits[1]) if fits and fits[2] == suffix else None


def shards_in(folder: Folder, kind: Format) -> list[int]:
    """The numbers of the shards that are in a folder, rising."""
    return sorted(n for name in folder.names() if (n := shard_number(name, kind.suffix)) is not None)


@dataclass
class Done:
    """What earlier runs did.

    Attributes:
        pictures, failed: in the shards that were skipped.
        seen: pictures that the sources gave so far, skipped or not.
    """

    pictures: int = 0
    failed: int = 0
    seen: int = 0


class Shards:
    """The shards of a run.

    Args:
        folder: of the results.
        kind: of its files.
        size: pictures a shard; the last has fewer.
        finished: how many pictures there were, if the run was finished before.
    """

    def __init__(self, folder: Folder, kind: Format, size: int, finished: int | None = None) -> None:
        self._folder = folder
        self._kind = kind
        self._size = size
        self._finished = finished

    def to_do(self, items: Iterable[Item], done: Done) -> Iterator[tuple[int, Iterator[Item]]]:
        """The shards that are missing or damaged, each with its pictures, which are to be taken before the next shard.

        Args:
            items: all pictures, those of done shards too: they are compared by name.
            done: told what is skipped, and how many pictures there are.

        Raises:
            ResultsError: if a shard was made of other pictures, or if there are more or fewer than when the run was
                finished.
        """
        there = set(shards_in(self._folder, self._kind))
        rest = _counted(items, done)
        number = 0
        for number in count():
            first = next(rest, None)
            if first is None:
                break
            if self._finished is not None and number * self._size >= self._finished:
                raise self._changed(f"it ended after {self._finished} pictures, and now {first.name} follows")
            shard = chain((first,), islice(rest, self._size - 1))
            contents = self._contents(number) if number in there else None
            there.discard(number)
            if contents is None:
                yield number, shard
                continue
            kept = list(shard)
            names = [item.name for item in kept]
            if contents.names == names_digest(names):
                done.pictures += contents.pictures
                done.failed += contents.failed
            else:
                self._compare(number, names, done.seen)
                yield number, iter(kept)
        if there:
            raise self._changed(
                f"{shard_name(min(there), self._kind.suffix)} is there, and now the pictures end before"
            )
        if self._finished is not None and done.seen != self._finished:
            raise self._changed(f"there were {self._finished} pictures, and now there are {done.seen}")

    def _contents(self, number: int) -> Contents | None:
        try:
            with self._folder.open(shard_name(number, self._kind.suffix)) as file:
                return self._kind.contents(file)
        except FileNotFoundError:  # somebody removed it just now
            return None

    def _compare(self, number: int, now: list[str], seen: int) -> None:
        """Says what differs, unless the file was only cut off between two rows, and can be made again."""
        name = shard_name(number, self._kind.suffix)
        with self._folder.open(name) as file:
            then = self._kind.names(file)
        if self._finished is not None and seen > self._finished:
            more = now[self._finished - seen]
            raise self._changed(f"it ended after {self._finished} pictures, and now {more} follows")
        place = next((i for i, (old, new) in enumerate(zip(then, now, strict=False)) if old != new), None)
        if place is not None:
            raise self._changed(f"{name} has {then[place]} as its picture {place + 1}, where {now[place]} is now")
        if len(then) > len(now):
            raise self._changed(f"{name} has {then[len(now)]}, and now the pictures end before")

    def _changed(self, what: str) -> ResultsError:
        return ResultsError(
            f"{self._folder}: the pictures are others than when this run began: {what}. Use another folder, or make "
            "all anew with --no-resume --force"
        )


def _counted(items: Iterable[Item], done: Done) -> Iterator[Item]:
    for item in items:
        done.seen += 1
        yield item
