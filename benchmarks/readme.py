"""Writes the tables of figures of README and docs from benchmarks/results. python -m benchmarks.readme"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    accuracy_tables,
    few_boxes,
    few_images,
    fit_backbones,
    fit_tables,
    limit_tables,
    own_data,
    refinement,
    run_tables,
)
from benchmarks.box_tables import (
    detector_table,
    doubt_table,
    intervals_table,
)
from benchmarks.facts import read, with_provenance
from boxless.system.files import write_whole

_ROOT = Path(__file__).parent.parent
BEGIN = "<!-- figures: written by `make figures` from benchmarks/results -->\n"
END = "<!-- end of figures -->\n"

# The figures of speed on the page, and in what words.
SPEED = {
    "graph with maps over bare at 224": "class maps of the top five, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 224": "class maps and affinity, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 448": "the same at 448",
    "locate, fast, over bare at 224": "`Localizer.locate` on a decoded image, `fast`, over the bare forward pass",
    "whole over the slower, fast": "`locate_many` on JPEGs, `fast`, over the slower of decoding and network",
    "bound of that on shared cores, fast": "the most that is possible where the two share the cores, `fast`",
    "whole over the slower, balanced": "`locate_many` on JPEGs, `balanced`, over the slower of the two",
    "bound of that on shared cores, balanced": "the most that is possible, `balanced`",
    "import boxless, s": "`import boxless`, seconds",
}


SHORT = {
    "critters": "kangaroos and raccoons",
    "steel": "steel defects",
    "cards": "playing cards",
    "figures": "toys of 1 % of the image",
    "tiny10": "Tiny ImageNet",
    "magnetic-tile": "defects of magnetic tiles",
}
"""The sets of `benchmarks.own_data` in few words."""


def summary_table() -> str:
    """The README's one table: localization, speed, own data, detector."""
    localization, speed, peers = read("localization")["figures"], read("speed"), read("peers")["rows"]
    others = {name: row for name, row in peers.items() if not name.startswith("boxless") and "max_box_acc_v2" in row}
    score, name = max((row["max_box_acc_v2"], name) for name, row in others.items())
    lines = [
        "| 650 ILSVRC validation images, EfficientNet-Lite0 | MaxBoxAccV2 % | top-1 % | ms, 1 core, in one run |",
        "|---|---|---|---|",
    ]
    for preset in ("fast", "balanced", "best"):
        row = localization[f"efficientnet-lite0, {preset}"]
        ms = peers[f"boxless {preset}"]["ms"]
        lines.append(f"| boxless, `{preset}` | {row['max_box_acc_v2']:.1f} | {row['top1']:.1f} | {ms:.0f} |")
    words = f"the best of five CAM libraries, same weights ({name}; 200 images)"
    lines.append(f"| {words} | {score:.1f} | | {others[name]['ms']:.0f} |")
    ratio = speed["figures"]["locate, fast, over bare at 224"]
    lines += ["", f"`locate` with `fast` takes {ratio:.2f} times the bare forward pass of the network."]
    own = {name: row["presets"]["balanced"]["one_box"] for name, row in read("own_data")["sets"].items()}
    ranked = ", ".join(f"{own[name]:.0f} % ({SHORT[name]})" for name in sorted(own, key=lambda each: -own[each]))
    lines += ["", f"Own images with `boxless fit`, labels alone, one box right (the same mean over IoU): {ranked}."]
    return "\n".join(lines) + "\n"


def benchmark_tables() -> str:
    """Accuracy and speed of the embedded models."""
    localization, speed = read("localization"), read("speed")
    lines = [
        "| model, preset | MaxBoxAccV2 % (95 % interval) | one box % | held out % | top-1 % | ms an image |",
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
        f"On {machine['cores']} cores ({machine['processor']}), {machine['date']}: take the milliseconds as rough, the "
        "ratios below as firm.",
        "",
        "| speed, in one run | measured | target |",
        "|---|---|---|",
    ]
    for key, words in SPEED.items():
        value, target = speed["figures"][key], speed["targets"].get(key)
        least = key.startswith("whole")
        aim = f"{'at least' if least else 'at most'} {target:.2f}" if target else ""
        missed = ", missed" if target and (value < target if least else value > target) else ""
        lines.append(f"| {words} | {value:.3f} | {aim}{missed} |")
    peaks = {key: value for key, value in speed["figures"].items() if key.startswith("peak")}
    lines += [
        f"| {key.replace(', MiB', '')} of `locate_many`, `fast` | {value:.0f} MiB | constant |"
        for key, value in peaks.items()
    ]
    lines += ["", *_own_data_lines(), "", *_presence_lines()]
    return "\n".join(lines) + "\n"


def _presence_lines() -> list[str]:
    """What is there and what is not, and how large it must be."""
    figures = read("presence")["figures"]
    presets, ranking = figures["presence"], figures["ranking"]
    rows = {
        "present_across_halves": "classes in an image that get a box",
        "absent_across_halves": "classes not in an image that get one",
        "blank": "blank and noise images with any box",
    }
    lines = [
        f"| efficientnet-lite0 in float32, %, thresholds set on other images | {' | '.join(presets)} |",
        "|---" * (len(presets) + 1) + "|",
    ]
    for key, words in rows.items():
        lines.append(f"| {words} | {' | '.join(f'{row[key]:.1f}' for row in presets.values())} |")
    lines += [
        "",
        f"Of the boxes of the five likeliest classes, a right one has a higher score than a wrong one in "
        f"{ranking['score']:.0f} % of all pairs ({ranking['share_alone']:.0f} % by a box's share of its map alone).",
        "",
        "| object, % of the image, `balanced` | images | one box right at IoU 0.5, % | "
        "area of the box over the object's |",
        "|---|---|---|---|",
    ]
    for row in figures["by_size"]:
        sizes = f"{100 * row['from']:.0f} to {100 * row['to']:.0f}"
        lines.append(f"| {sizes} | {row['pictures']} | {row['right']:.0f} | {row['box_over_object']:.1f} |")
    return lines


def _own_data_lines() -> list[str]:
    """What own classes reach from labels alone, on held-out images."""
    tiles, twins = read("own_data")["sets"]["magnetic-tile"], read("duplicates")["sets"]["magnetic-tile"]
    lines = [
        "| own classes, AP50 of all boxes on held-out images, % | class maps of `boxless fit` | "
        "detector from labels | detector from drawn boxes |",
        "|---|---|---|---|",
    ]
    described = {
        "cards": "playing cards, several an image",
        "magnetic-tile": "defects of magnetic tiles",
        "tiny10": "ten classes of Tiny ImageNet, one an image",
        "critters": "kangaroos and raccoons",
        "steel": "steel defects, several an image",
        "figures": "toys of 1 % of the image, several an image",
    }
    for name, words in described.items():
        data = read("detector")["data"][name]
        keys = ("class maps, balanced", "taught by labels", "taught by boxes")
        cells = " | ".join(f"{data[key]['AP50']:.1f}" if key in data else "" for key in keys)
        lines.append(f"| {words} | {cells} |")
    return [
        *lines,
        "",
        f"Of the defects {tiles['classification']['accuracy']} % are classified right and "
        f"{tiles['presets']['balanced']['one_box']} % get a box that matches (mean over IoU 0.3, 0.5 and 0.7), with "
        f"`balanced`; MaxBoxAccV2 is {tiles['presets']['balanced']['max_box_acc_v2']} %. {twins['found']} of the "
        f"{twins['held_out']} held-out images show a tile that was learned from in another light, so new tiles will "
        "do worse "
        "([own data](own-data.md)).",
    ]


PAGES: dict[Path, Callable[[], str] | tuple[Callable[[], str], ...]] = {
    _ROOT / "README.md": summary_table,
    _ROOT / "docs/benchmarks.md": (
        benchmark_tables,
        lambda: f"{fit_tables.fit_table()}\n{fit_tables.fit_time_table()}\n{fit_tables.twins()}",
        run_tables.scale_table,
        run_tables.serve_table,
        run_tables.page_table,
        run_tables.page_tool_table,
    ),
    _ROOT / "docs/detector.md": detector_table,
    _ROOT / "docs/attach.md": fit_backbones.table,
    _ROOT / "docs/video.md": run_tables.video_table,
    _ROOT / "docs/limits.md": (limit_tables.by_kind, limit_tables.by_size, few_images.table),
    _ROOT / "docs/own-data.md": (own_data.table, few_boxes.table),
    _ROOT / "docs/accuracy.md": (
        refinement.table,
        accuracy_tables.full_size,
        accuracy_tables.backbones,
    ),
    _ROOT / "docs/decisions/0044-what-a-class-survives.md": fit_tables.fill_table,
    _ROOT / "docs/decisions/0028-intervals-of-average-precision.md": intervals_table,
    _ROOT / "docs/decisions/0058-a-detector-that-may-be-worse.md": doubt_table,
    _ROOT / "docs/full-runs.md": run_tables.medium_table,
    _ROOT / "docs/decisions/0064-the-same-head-piece-by-piece.md": fit_tables.streamed_table,
    _ROOT / "docs/decisions/0011-rare-classes-count-alike.md": fit_tables.rare_table,
}
"""The table of each page, or its tables in their order there."""


FIGURES = {_ROOT / "docs/images/few_boxes.svg": few_boxes.figure}
"""The plots, as SVG."""


def with_tables(page: Path) -> str:
    """A page's text with its tables as the results are now."""
    before, *rest = page.read_text(encoding="utf-8").split(BEGIN)
    made = PAGES[page]
    tables = zip(made if isinstance(made, tuple) else (made,), (each.split(END, 1)[1] for each in rest), strict=True)
    return before + "".join(f"{BEGIN}\n{with_provenance(table)}\n{END}{after}" for table, after in tables)


if __name__ == "__main__":
    for page in PAGES:
        text = with_tables(page)
        write_whole(page, lambda beside, text=text: beside.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    for file, figure in FIGURES.items():
        file.write_text(figure(), encoding="utf-8")
