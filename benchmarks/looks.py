"""The tables of what was tried to look better, of benchmarks/results, for docs/accuracy.md and a decision."""

from __future__ import annotations

from typing import Any

from benchmarks.facts import read


def presets() -> str:
    """What presets cost and give in float32 and in eight bits."""
    looks, figures = read("second_look"), read("localization")["figures"]
    cost = looks["passes"]
    lines = ["| model, preset | passes | MaxBoxAccV2 % | one box % | top-1 % |", "|---|---|---|---|---|"]
    for name, row in figures.items():
        model, preset = name.split(", ")
        sides = {"fast": (224,), "balanced": (224, 448)}.get(preset, ())
        if sides:
            boxes = f"{row['max_box_acc_v2']:.1f} | {row['one_box']:.1f} | {row['top1']:.1f}"
            lines.append(f"| {name} | {sum(cost[f'{model} {side}'] for side in sides):.1f} | {boxes} |")
    return "\n".join([*lines, "", f"The passes on a processor {_able(looks)} VNNI."]) + "\n"


def smaller() -> str:
    """What smaller looks, and those in eight bits, cost and give."""
    results = read("second_look")
    lines = [*_rows(results), ""]
    lines.append(f"{results['pictures']} pictures of `ilsvrc-dev`, and a processor {_able(results)} VNNI.")
    return "\n".join(lines) + "\n"


def small_objects() -> str:
    """Ideas for small objects."""
    results = read("small_objects")
    lines = ["| idea | one box % | halves | small, right at IoU 0.5, % |", "|---|---|---|---|"]
    for words, row in results["rows"].items():
        halves = ", ".join(f"{half:.1f}" for half in row["halves"])
        lines.append(f"| {words} | {row['one_box']:.1f} | {halves} | {row['small']:.0f} |")
    told = ", ".join(f"{value:.2f} for the {name}" for name, value in results["correlation"].items())
    lines += [
        "",
        f"{results['pictures']} pictures, {results['small']} with a small object. Correlation with the logarithm of "
        f"the object's size: {told}.",
    ]
    return "\n".join(lines) + "\n"


def full_size() -> str:
    """Shapes and sizes of looks at pictures in their own size."""
    results = read("full_size")
    photos, cards = results["photos"], results["cards"]
    sides = list(next(iter(photos["top1"].values())))
    lines = [f"| top-1 %, one pass at | {' | '.join(sides)} |", "|---" * (len(sides) + 1) + "|"]
    for way, row in photos["top1"].items():
        lines.append(f"| {way} | {' | '.join(f'{row[side]:.0f}' for side in sides)} |")
    lines += [
        "",
        f"{photos['pictures']} photographs, at the median {_size(photos)} pixels.",
        "",
        "| passes | shape | photos: box as that of three passes in shape, % at IoU 0.5, 0.7 | cards: MaxBoxAccV2 % "
        "(95 % interval) | halves | one box % |",
        "|---|---|---|---|---|---|",
    ]
    found = {(each["way"], tuple(each["sides"])): each for each in cards["finding"]}
    for row in photos["agreement"]:
        other = found[row["way"], tuple(row["sides"])]
        halves = ", ".join(f"{half:.1f}" for half in other["halves"])
        low, high = other["interval"]
        lines.append(
            f"| {', '.join(map(str, row['sides']))} | {row['way']} | {row['iou_0.5']:.0f}, {row['iou_0.7']:.0f} | "
            f"{other['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f}) | {halves} | {other['one_box']:.1f} |"
        )
    for name, row in results.get("finders", {}).items():
        halves, (low, high) = ", ".join(f"{half:.1f}" for half in row["halves"]), row["interval"]
        lines.append(
            f"| {', '.join(map(str, row['sides']))}, with a finder (`{name}` of `boxless fit`) | in shape | | "
            f"{row['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f}) | {halves} | {row['one_box']:.1f} |"
        )
    lines += [
        "",
        f"{cards['pictures']} photographs of cards, at the median {_size(cards)} pixels, "
        f"{cards['classes_in_images']} times a class in a picture, its largest card taking "
        f"{100 * cards['median_share']:.1f} % of it at the median.",
    ]
    return "\n".join(lines) + "\n"


def backbones() -> str:
    """What larger networks give and cost."""
    results = read("backbones")
    sides = list(next(iter(results["photos"].values())))
    lines = [f"| `photos`, top-1 % at | MB | {' | '.join(sides)} |", "|---" * (len(sides) + 2) + "|"]
    for name, row in results["photos"].items():
        megabytes = results["bytes"][name] / 1e6
        lines.append(f"| {name} | {megabytes:.1f} | {' | '.join(f'{row[side]:.0f}' for side in sides)} |")
    lines += ["", *_rows(results), ""]
    lines.append(f"{results['pictures']} pictures of `ilsvrc-dev`, and a processor {_able(results)} VNNI.")
    return "\n".join(lines) + "\n"


def _rows(results: dict[str, Any]) -> list[str]:
    """A table of looks, what they cost and give."""
    lines = ["| scales | passes | MaxBoxAccV2 % | halves | one box % | top-1 % |", "|---|---|---|---|---|---|"]
    for row in results["rows"]:
        halves = ", ".join(f"{half:.1f}" for half in row["halves"])
        boxes = f"{row['max_box_acc_v2']:.1f} | {halves} | {row['one_box']:.1f} | {row['top1']:.1f}"
        passes = sum(results["passes"][each] for each in row["looks"])
        lines.append(f"| {_looks(row['looks'])} | {passes:.1f} | {boxes} |")
    return lines


def _looks(looks: list[str]) -> str:
    """Looks of one model, in words: "NAME at 224, 448"."""
    pairs = [each.rsplit(" ", 1) for each in looks]
    if len({name for name, _ in pairs}) == 1:
        return f"{pairs[0][0]} at {', '.join(side for _, side in pairs)}"
    return ", ".join(f"{name} at {side}" for name, side in pairs)


def _size(found: dict[str, list[int]]) -> str:
    height, width = found["median_size"]
    return f"{width} x {height}"


def _able(results: dict[str, bool]) -> str:
    return "with" if results["vnni"] else "without"
