"""Shards: files with the rows of equally many images, written with a digest, checked when they are read back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, count, islice
from typing import TypeVar

from boxless.batch.folder import Folder
from boxless.batch.formats import Format, Row
from boxless.batch.item import Item
from boxless.errors import ResultsError, first_line

T = TypeVar("T")

_NAME = re.compile(r"part-(\d{5,})(\.\w+)")


@dataclass(frozen=True)
class Record:
    """Facts about a shard, in a file beside it: `_part-00017.json`. Readers of Parquet folders skip such names.

    Attributes:
        sha256: the digest of the shard's file.
        images: the number of rows.
        failed: the number of rows with an error.
        names: a digest of the images' names, in their order.
        versions: a short digest of each image's version.
    """

    sha256: str
    images: int
    failed: int
    names: str
    versions: list[str]


@dataclass
class Done:
    """What earlier runs did.

    Attributes:
        images, failed: in the shards that were skipped.
        seen: images that the sources gave so far, skipped or not.
        replaced: images whose bytes changed since their rows were written; their shards are made again.
    """

    images: int = 0
    failed: int = 0
    seen: int = 0
    replaced: list[str] = field(default_factory=list)


class Shards:
    """The shards of a run: files part-00000.parquet and so on.

    Args:
        folder: of the results.
        kind: of its files.
        size: images a shard; the last has fewer.
    """

    def __init__(self, folder: Folder, kind: Format, size: int) -> None:
        self.folder = folder
        self.kind = kind
        self.size = size

    def name(self, number: int) -> str:
        """The file of a shard, such as part-00017.parquet."""
        return f"part-{number:05d}{self.kind.suffix}"

    def numbers(self) -> list[int]:
        """The numbers of the shards that are there, rising."""
        fits = map(_NAME.fullmatch, self.folder.names())
        return sorted(int(each[1]) for each in fits if each and each[2] == self.kind.suffix)

    def missing(self, images: int) -> list[str]:
        """The files that are not there of a finished run over so many images."""
        there = set(self.numbers())
        return [self.name(number) for number in range(-(-images // self.size)) if number not in there]

    def write(self, number: int, items: Sequence[Item], rows: Sequence[Row]) -> None:
        """Writes the rows of images as a shard, then its record: one without a record counts as damaged."""
        content = self.kind.encode(rows)
        record = Record(
            sha256=hashlib.sha256(content).hexdigest(),
            images=len(rows),
            failed=sum(each["error"] is not None for each in rows),
            names=_names(items),
            versions=_versions(items),
        )
        self.folder.write(self.name(number), content)
        self.folder.write(_record_name(number), json.dumps(asdict(record)).encode())

    def remove(self, number: int) -> None:
        """Removes a shard and its record."""
        self.folder.remove(_record_name(number))
        self.folder.remove(self.name(number))

    def read(self, number: int, decode: Callable[[bytes], T]) -> T:
        """What `rows` or `table` of the format make of a shard; ResultsError if it is missing or damaged."""
        content, record = self._whole(number)
        if content is not None and record is not None:
            try:
                return decode(content)
            # The bytes match their digest but do not decode: PyArrow and json raise many kinds of errors.
            except Exception as error:
                raise ResultsError(f"{self.folder}: {self.name(number)} holds no rows ({first_line(error)})") from None
        what = "missing" if content is None else "damaged"
        raise ResultsError(f"{self.folder}: {self.name(number)} is {what}; the command that wrote it makes it again")

    def to_do(self, items: Iterable[Item], done: Done, finished: int | None) -> Iterator[tuple[int, Iterator[Item]]]:
        """The shards that are missing, damaged or out of date, with their images; to be taken before the next shard.

        Args:
            items: all images, those of done shards too: they are compared by name and version.
            done: counts the images, and those that are skipped.
            finished: how many images there were, if the run was finished before.

        Raises:
            ResultsError: if a shard was made of other images, or if there are more or fewer than when the run was
                finished.
        """
        there = set(self.numbers())
        rest = _counted(items, done)
        for number in count():
            first = next(rest, None)
            if first is None:
                break
            if finished is not None and number * self.size >= finished:
                raise self._changed(f"it ended after {finished} images, and now {first.name} follows")
            shard = chain((first,), islice(rest, self.size - 1))
            record = self._whole(number)[1] if number in there else None
            there.discard(number)
            if record is None:
                yield number, shard
                continue
            kept = list(shard)
            if record.names != _names(kept):
                raise self._changed(self._difference(number, kept, done.seen, finished))
            versions = zip(kept, record.versions, _versions(kept), strict=False)
            if replaced := [item.name for item, then, now in versions if then != now]:
                done.replaced += replaced
                yield number, iter(kept)
            else:
                done.images += record.images
                done.failed += record.failed
        if there:
            raise self._changed(f"{self.name(min(there))} is there, and now the images end before")
        if finished is not None and done.seen != finished:
            raise self._changed(f"there were {finished} images, and now there are {done.seen}")

    def _whole(self, number: int) -> tuple[bytes | None, Record | None]:
        """A shard's bytes, None if it is missing; and its record, None if that or the shard is damaged."""
        try:
            content = self.folder.read(self.name(number))
        except FileNotFoundError:
            return None, None
        try:
            record = Record(**json.loads(self.folder.read(_record_name(number))))
            whole = record.sha256 == hashlib.sha256(content).hexdigest() and len(record.versions) == record.images
        except (FileNotFoundError, ValueError, TypeError, RecursionError):
            whole = False
        return content, record if whole else None

    def _difference(self, number: int, kept: Sequence[Item], seen: int, finished: int | None) -> str:
        """What differs between the images of a shard and those that are there now, in words."""
        then = [each["image"] for each in self.read(number, self.kind.rows)]
        now = [item.name for item in kept]
        if finished is not None and seen > finished:
            return f"it ended after {finished} images, and now {now[finished - seen]} follows"
        name = self.name(number)
        for place, (old, new) in enumerate(zip(then, now, strict=False), 1):
            if old != new:
                return f"{name} has {old} as its image {place}, where {new} is now"
        return f"{name} has {then[len(now)]}, and now the images end before"

    def _changed(self, what: str) -> ResultsError:
        return ResultsError(
            f"{self.folder}: the images are not those that this run started with: {what}. Use another folder, or start "
            "over with --no-resume --force"
        )


def _record_name(number: int) -> str:
    return f"_part-{number:05d}.json"


def _names(items: Iterable[Item]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.name.encode("utf-8") + b"\0")
    return digest.hexdigest()


def _versions(items: Iterable[Item]) -> list[str]:
    versions = (f"{item.version}\0{item.classes}" for item in items)
    return [hashlib.sha256(each.encode("utf-8", "backslashreplace")).hexdigest()[:8] for each in versions]


def _counted(items: Iterable[Item], done: Done) -> Iterator[Item]:
    for item in items:
        done.seen += 1
        yield item
