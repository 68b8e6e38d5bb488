"""The tables of what was tried to localize better, for docs/accuracy.md. See benchmarks.readme."""

from __future__ import annotations

from benchmarks.facts import read


def full_size() -> str:
    """Shapes and scales of passes over images in their own size."""
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
    found = {(each["way"], tuple(each["scales"])): each for each in cards["localized"]}
    for row in photos["agreement"]:
        other = found[row["way"], tuple(row["scales"])]
        halves = ", ".join(f"{half:.1f}" for half in other["halves"])
        low, high = other["interval"]
        lines.append(
            f"| {', '.join(map(str, row['scales']))} | {row['way']} | {row['iou_0.5']:.0f}, {row['iou_0.7']:.0f} | "
            f"{other['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f}) | {halves} | {other['one_box']:.1f} |"
        )
    for name, row in results["as_fitted"].items():
        halves, (low, high) = ", ".join(f"{half:.1f}" for half in row["halves"]), row["interval"]
        lines.append(
            f"| {', '.join(map(str, row['scales']))}, localized as `boxless fit` decides (`{name}`) | in shape | | "
            f"{row['max_box_acc_v2']:.1f} ({low:.1f} to {high:.1f}) | {halves} | {row['one_box']:.1f} |"
        )
    lines += [
        "",
        f"{cards['pictures']} photographs of cards, at the median {_size(cards)} pixels, "
        f"{cards['classes_in_images']} times a class in an image, its largest card taking "
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
    lines += ["", "| scales | passes | MaxBoxAccV2 % | halves | one box % | top-1 % |", "|---|---|---|---|---|---|"]
    for row in results["rows"]:
        halves = ", ".join(f"{half:.1f}" for half in row["halves"])
        boxes = f"{row['max_box_acc_v2']:.1f} | {halves} | {row['one_box']:.1f} | {row['top1']:.1f}"
        passes = sum(results["passes"][each] for each in row["looks"])
        lines.append(f"| {_passes(row['looks'])} | {passes:.1f} | {boxes} |")
    able = "with" if results["vnni"] else "without"
    lines += ["", f"{results['pictures']} images of `ilsvrc-dev`, and a processor {able} VNNI."]
    return "\n".join(lines) + "\n"


def _passes(passes: list[str]) -> str:
    """Passes of one model, in words: "NAME at 224, 448"."""
    pairs = [each.rsplit(" ", 1) for each in passes]
    return f"{pairs[0][0]} at {', '.join(side for _, side in pairs)}"


def _size(found: dict[str, list[int]]) -> str:
    height, width = found["median_size"]
    return f"{width} x {height}"
