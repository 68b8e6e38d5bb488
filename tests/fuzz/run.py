"""Runs attempts in a child process, which may crash, hang or grow: each is a fault, and the next child goes on."""

from __future__ import annotations

import json
import os
import random
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.kinds import KINDS
from tests.fuzz.mutate import mutated

from boxless.errors import BoxlessError

MOST_SECONDS = 10.0
"""That an attempt may take, without what it waits for a processor that others use."""

MOST_MEMORY = 1_500_000_000
"""Bytes that a child may have in use at its most."""

MOST_GROWTH = 150_000_000
"""Bytes by which it may grow after its first hundred attempts."""

_SETTLED = 100  # attempts after which growth counts
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Fault:
    """What an attempt did that it must not.

    Attributes:
        number: of the attempt, by which it can be repeated.
        what: happened, in words.
    """

    number: int
    what: str


def fuzz(kind: str, count: int, seed: int = 0, first: int = 0) -> Iterator[Fault]:
    """The faults of `count` attempts.

    Args:
        kind: one of `KINDS`.
        count: how many attempts.
        seed: of all.
        first: number of the first.
    """
    number = first
    while number < first + count:
        command = [sys.executable, "-m", "tests.fuzz.run", kind, str(number), str(first + count), str(seed)]
        with tempfile.TemporaryFile() as errors:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, bufsize=0) as child:
                hung = False
                for line in _lines(child):
                    if line is None:
                        child.kill()
                        hung = True
                        yield Fault(number, f"took more than {MOST_SECONDS:g} s")
                        break
                    said = json.loads(line)
                    number = said["number"]
                    if "fault" in said:
                        yield Fault(number, said["fault"])
            if child.returncode and not hung:
                errors.seek(0)
                yield Fault(number, f"ended with {child.returncode}: {errors.read().decode(errors='replace')[-2000:]}")
        number += 1


def _lines(child: subprocess.Popen[bytes]) -> Iterator[bytes | None]:
    """The lines that a child writes; None where the next one takes too long."""
    assert child.stdout
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    pending, seconds = b"", _START_SECONDS
    since = _clock(child.pid)
    while True:
        if not selector.select(1):
            if _clock(child.pid) - since < seconds:
                continue
            break
        part = os.read(child.stdout.fileno(), 65_536)
        if not part:
            return
        *lines, pending = (pending + part).split(b"\n")
        if lines:
            seconds, since = MOST_SECONDS, _clock(child.pid)
        yield from lines
    yield None


def _clock(process: int) -> float:
    """Seconds, without those in which a process could have run and had no processor, where the system says them."""
    waited = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with suppress(OSError):  # it ended
            waited = max(waited, int(thread.read_text().split()[1]))
    return time.monotonic() - waited / 1e9


def _work(kind: str, first: int, end: int, seed: int) -> None:
    """What a child does: says the number of each attempt before it begins, and what went wrong."""
    settled = 0
    # A disk in memory, where there is one: files are written by the thousand.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        seeds = KINDS[kind].seeds(Path(folder))
        contents = [file.read_bytes() for _, file in seeds]
        for number in range(first, end):
            _say(number=number)
            dice = random.Random(f"{kind} {seed} {number}")
            which = dice.randrange(len(seeds))
            root, file = seeds[which]
            file.write_bytes(mutated(contents[which], dice.choice(contents), dice))
            try:
                KINDS[kind].attempt(root, file)
            except BoxlessError:
                pass
            except Exception:
                _say(number=number, fault=f"{file.relative_to(folder)}: {traceback.format_exc()[-3000:]}")
            file.write_bytes(contents[which])
            if number == first + _SETTLED:
                settled = _memory()
        if settled and _memory() - settled > MOST_GROWTH:
            _say(number=end - 1, fault=f"grew by {(_memory() - settled) / 1e6:.0f} MB")
        most = _memory("VmHWM")
        if most > MOST_MEMORY:
            _say(number=end - 1, fault=f"took {most / 1e6:.0f} MB")


def _memory(field: str = "VmRSS") -> int:
    """Bytes in use by this process, or VmHWM, the most ever; 0 where the system does not say.

    The peak that `getrusage` gives is no less than that of the process which started this one.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def _say(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _work(sys.argv[1], *map(int, sys.argv[2:5]))
