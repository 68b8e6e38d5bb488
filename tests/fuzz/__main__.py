"""Damages valid inputs in child processes: no traceback, no signal, no hang over 10 s, no growth of memory.

python -m tests.fuzz annotations --count 20000
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.kinds import KINDS
from tests.fuzz.run import fuzz


def main() -> None:
    """Runs it, and prints the faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, default=20_000, help="attempts [default: 20,000]")
    parser.add_argument("--seed", type=int, default=0, help="of all attempts [default: 0]")
    parser.add_argument("--first", type=int, default=0, help="number of the first, to repeat one [default: 0]")
    options = parser.parse_args()
    faults = 0
    for fault in fuzz(options.kind, options.count, options.seed, options.first):
        faults += 1
        sys.stdout.write(f"attempt {fault.number}: {fault.what}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{options.count} attempts, {faults} faults\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
