"""Measure a paper's claim again: a table, a plot and a page.

    python -m papers                    lists the experiments
    python -m papers nin-heads          quick: 3 to 45 minutes on two cores, by experiment
    python -m papers nin-heads --full   the paper's recipe, on a GPU

Trained networks are kept in $BOXLESS_CACHE and reused. A run that was killed continues from its last whole epoch.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from boxless.errors import BoxlessError
from boxless.system.extras import require

PAGES = Path("docs/reproduction")

_SIZES = {
    "check": "seconds; shows only that everything runs",
    "quick": "3 to 45 minutes on two cores, few images (default)",
    "medium": "full width and all images, few epochs; hours on two cores",
    "full": "the paper's recipe; needs a GPU",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: without the program's name; None takes those of this process.

    Returns:
        The exit status: 2 for what the user can mend.
    """
    parser = argparse.ArgumentParser(
        prog="python -m papers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", nargs="?", metavar="EXPERIMENT", help="its name; without one, all are listed")
    size = parser.add_mutually_exclusive_group()
    for name, words in _SIZES.items():
        size.add_argument(f"--{name}", dest="scale", action="store_const", const=name, help=words)
    parser.set_defaults(scale="quick")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="CIFAR-10's archive, or boxed images (gap-gmp) [default: $BOXLESS_DATA]",
    )
    parser.add_argument("--out", type=Path, default=PAGES, metavar="DIR", help=f"results and pages [default: {PAGES}]")
    given = parser.parse_args(arguments)
    try:
        from papers.catalogue import EXPERIMENTS, reproduce

        if given.experiment is None:
            for each in EXPERIMENTS.values():
                print(f"{each.name:<17}{each.title}")
            return 0
        require("train", "python -m papers")
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it counts how many networks we build
        print(reproduce(given.experiment, given.scale, given.out, given.data, _say))
    except BoxlessError as error:
        print(f"papers: {error}", file=sys.stderr)
        return 2
    return 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
