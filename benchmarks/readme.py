"""Writes the tables of figures of README and docs from benchmarks/results. python -m benchmarks.readme"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.facts import RESULTS
from boxless.files import write_whole

_ROOT = Path(__file__).parent.parent
BEGIN = "<!-- figures: written by `make figures` from benchmarks/results -->\n"
END = "<!-- end of figures -->\n"

# The figures of speed that the README tells, and in what words.
SPEED = {
    "graph with maps over bare at 224": "class maps of the top five, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 224": "class maps and affinity, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 448": "the same at 448",
    "locate, fast, over bare at 224": "`Localizer.locate` on a decoded picture, `fast`, over the bare forward pass",
    "whole over the slower, balanced": "a folder of JPEGs, end to end, over the slower of decoding and network alone",
    "import boxless, s": "`import boxless`, seconds",
}


def read(name: str) -> dict[str, Any]:
    """The results of a benchmark program."""
    data: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return data


def readme_tables() -> str:
    """Accuracy and speed of the embedded models."""
    localization, speed = read("localization"), read("speed")
    lines = [
        "| model, preset | MaxBoxAccV2 % (95 % interval) | one box % | held out % | top-1 % | ms a picture |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in localization["figures"].items():
        low, high = row["interval"]
        accuracy = f"{row['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f})"
        boxes = f"{row['one_box']:.1f} | {row['one_box_across_halves']:.1f}"
        lines.append(f"| {name} | {accuracy} | {boxes} | {row['top1']:.1f} | {row['ms']:.0f} |")
    machine = localization["machine"]
    lines += [
        "",
        f"On {machine['cores']} cores ({machine['processor']}), shared with others: take the milliseconds as rough, "
        "the ratios below as firm.",
        "",
        "| speed, in one run | measured | target |",
        "|---|---|---|",
    ]
    for key, words in SPEED.items():
        bound = "at least" if key.startswith("whole") else "at most"
        lines.append(f"| {words} | {speed['figures'][key]:.2f} | {bound} {speed['targets'][key]:.2f} |")
    peaks = {key: value for key, value in speed["figures"].items() if key.startswith("peak")}
    lines += [f"| {key.replace(', MiB', '')} | {value:.0f} MiB | constant |" for key, value in peaks.items()]
    lines += ["", *_presence_lines()]
    return "\n".join(lines) + "\n"


def _presence_lines() -> list[str]:
    """What is there and what is not, and how large it must be."""
    figures = read("presence")["figures"]
    presets, ranking = figures["presence"], figures["ranking"]
    rows = {
        "present_across_halves": "classes in a picture that get a box",
        "absent_across_halves": "classes not in a picture that get one",
        "blank": "blank and noise pictures with any box",
    }
    lines = [f"| %, levels set on other pictures | {' | '.join(presets)} |", "|---" * (len(presets) + 1) + "|"]
    for key, words in rows.items():
        lines.append(f"| {words} | {' | '.join(f'{row[key]:.1f}' for row in presets.values())} |")
    lines += [
        "",
        f"Of the boxes of the five likeliest classes, a right one has a higher score than a wrong one in "
        f"{ranking['score']:.0f} % of all pairs ({ranking['share_alone']:.0f} % by a box's share of its map alone).",
        "",
        "| object, % of the picture | pictures | one box right at IoU 0.5, % | area of the box over the object's |",
        "|---|---|---|---|",
    ]
    for row in figures["by_size"]:
        sizes = f"{100 * row['from']:.0f} to {100 * row['to']:.0f}"
        lines.append(f"| {sizes} | {row['pictures']} | {row['right']:.0f} | {row['box_over_object']:.1f} |")
    return lines


def fit_table() -> str:
    """What fitting own classes takes and gives."""
    results = read("fit")
    lines = [
        "| `--size` | seconds for the pictures | for all the rest | accuracy % | preset | MaxBoxAccV2 % | one box % |",
        "|---|---|---|---|---|---|---|",
    ]
    for side, row in results["figures"].items():
        first = f"{side} | {row['features_s']:.0f} | {row['rest_s']:.0f} | {_with_interval(row['accuracy'])}"
        for name, preset in row["presets"].items():
            boxes = f"{_with_interval(preset['max_box_acc_v2'])} | {_with_interval(preset['one_box'])}"
            lines.append(f"| {first} | {name} | {boxes} |")
            first = " | | | "
    centre = row["presets"]["fast"]["centre_box"]
    machine = results["machine"]
    lines += [
        "",
        f"{row['pictures']} pictures on {machine['cores']} cores ({machine['processor']}); 95 % intervals over the "
        f"held-out pictures, the class given. A box in the middle of the picture, its size picked with the truth in "
        f"hand, gets {_with_interval(centre)}. `python -m benchmarks.fit` measures anew.",
    ]
    return "\n".join(lines) + "\n"


def fit_time_table() -> str:
    """How long the whole command takes, first and again."""
    results = read("fit_time")
    lines = [
        "| pictures | how many | typical size | first run, s | again, s | load before |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["figures"]:
        height, width = row["pixels"]
        lines.append(
            f"| {row['set']} | {row['pictures']} | {width} x {height} | {row['first_s']:.0f} | {row['again_s']:.0f} | "
            f"{row['load_before']:.0f} |"
        )
    machine = results["machine"]
    lines += [
        "",
        f"The command `boxless fit` from start to report, on {machine['cores']} cores ({machine['processor']}) that "
        f"other programs kept busy, {machine['date']}: the load is how many processes wanted them when it began. "
        "`python -m benchmarks.fit_time` measures anew.",
    ]
    return "\n".join(lines) + "\n"


def rare_table() -> str:
    """What balanced weights do for rare classes."""
    lines = [
        "| rare pictures | weights | rare found % | common found % | log loss | F1 of rare % | F1 of common % |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in read("rare_classes")["figures"]:
        recall = f"{row['recall_rare']:.0f} | {row['recall_common']:.0f} | {row['log_loss']:.2f}"
        f1 = f"{row['f1_rare']:.0f} | {row['f1_common']:.0f}"
        lines.append(f"| {row['rare_pictures']} | {row['weights']} | {recall} | {f1} |")
    return "\n".join(lines) + "\n"


_PRICE = 0.04
"""Dollars that an hour of one core (vCPU) costs, about: an assumption, no measurement."""


def scale_table() -> str:
    """What long runs were measured to do, and what that makes of millions of pictures."""
    results = read("scale")
    machine, targets = results["machine"], results["targets"]
    lines = ["| long runs | measured | target |", "|---|---|---|"]
    for part in ("kills", "rates", "long run", "ray"):
        for name, value in results.get(part, {}).items():
            lines.append(f"| {part}: {name} | {value:,.4g} | {targets.get(name, '')} |")
    missing = [part for part in ("kills", "rates", "long run", "ray") if part not in results]
    lines += [
        "",
        f"On {machine['cores']} cores ({machine['processor']}), {machine['date']}, with others at work: ratios hold, "
        "rates are lower than on a machine of one's own. `python -m benchmarks.scale` measures anew, by default "
        "on 200,000 pictures." + (f" Not measured yet: {', '.join(missing)}." if missing else ""),
    ]
    if "long run" in results:
        run = results["long run"]
        each = run["CPU seconds"] / run["pictures"]
        lines += ["", "| pictures | core hours | hours on 16 cores | on 320 cores | dollars |", "|---|---|---|---|---|"]
        for millions in (1, 10, 100):
            hours = millions * 1e6 * each / 3600
            cells = f"{hours:,.1f} | {hours / 16:,.2f} | {hours / 320:,.2f} | {hours * _PRICE:,.2f}"
            lines.append(f"| {millions} million | {cells} |")
        lines += [
            "",
            f"From {each * 1e3:.0f} ms of one core a picture of about 0.2 megapixels, preset `fast`, in the long run "
            f"above, and {_PRICE} dollars for an hour of a core, an assumption; storage and traffic come on top. "
            "Many machines were not measured: the hours suppose that they do not hinder each other.",
        ]
    return "\n".join(lines) + "\n"


def twins() -> str:
    """How many near duplicates CIFAR-10 has."""
    found = read("duplicates")
    counts = " and ".join(
        f"{row['with_a_twin']} of the {row['test_pictures']:,} test pictures of {name}"
        for name, row in found["figures"].items()
    )
    return (
        f"In CIFAR-10, {counts} have a twin among the training pictures, by thumbnails that correlate by "
        f"{found['alike']:g} (`python -m benchmarks.duplicates`).\n"
    )


def _with_interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.1f} ({figure['low']:.1f} to {figure['high']:.1f})"


PAGES: dict[Path, Callable[[], str]] = {
    _ROOT / "README.md": readme_tables,
    _ROOT / "docs/scale.md": scale_table,
    _ROOT / "docs/fit.md": lambda: f"{fit_table()}\n{fit_time_table()}\n{twins()}",
    _ROOT / "docs/decisions/0011-rare-classes-count-alike.md": rare_table,
}


def with_tables(page: Path) -> str:
    """A page's text with its tables as the results are now."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{PAGES[page]()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    for page in PAGES:
        text = with_tables(page)
        write_whole(page, lambda beside, text=text: beside.write_text(text, encoding="utf-8"))  # type: ignore[misc]
