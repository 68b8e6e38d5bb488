"""Tables of learning one's own classes: what it takes, what it gives, what is left without what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.facts import read, with_interval


def fit_table() -> str:
    """What fitting own classes takes and gives."""
    results = read("fit")
    lines = [
        "| `--size` | CPU s for the features | for all the rest | accuracy % | preset | MaxBoxAccV2 % | one box % |",
        "|---|---|---|---|---|---|---|",
    ]
    for side, row in results["figures"].items():
        first = f"{side} | {row['features_cpu_s']:.0f} | {row['rest_cpu_s']:.0f} | {with_interval(row['accuracy'])}"
        for name, preset in row["presets"].items():
            boxes = f"{with_interval(preset['max_box_acc_v2'])} | {with_interval(preset['one_box'])}"
            lines.append(f"| {first} | {name} | {boxes} |")
            first = " | | | "
    centre = row["presets"]["fast"]["centre_box"]
    machine = results["machine"]
    lines += [
        "",
        f"{row['pictures']} images on {_cores(machine)} ({machine['processor']}); 95 % intervals over the "
        "held-out images, with the true class given. A box in the middle of the image, whose size an oracle chooses, "
        f"gets {with_interval(centre)}. Other programs ran beside, which lengthens CPU seconds too. "
        "`python -m benchmarks.fit` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def fit_time_table() -> str:
    """How long the whole command takes, first and again."""
    results = read("fit_time")
    lines = [
        "| images | how many | typical size | first run, s | CPU s | second run, s | CPU s | load before |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in results["figures"]:
        height, width = row["pixels"]
        lines.append(
            f"| {row['set']} | {row['pictures']} | {width} x {height} | {row['first_s']:.0f} | "
            f"{row['first_cpu_s']:.0f} | {row['again_s']:.0f} | {row['again_cpu_s']:.0f} | {row['load_before']:.0f} |"
        )
    machine = results["machine"]
    lines += [
        "",
        f"The command `boxless fit` from start to report, on {_cores(machine)} ({machine['processor']}), "
        f"{machine['date']}. The load is the number of runnable processes at the start: they lengthen "
        "the seconds, and the CPU seconds less. "
        "`python -m benchmarks.fit_time` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def rare_table() -> str:
    """What balanced weights do for rare classes."""
    lines = [
        "| rare images | weights | rare found % | common found % | log loss | F1 of rare % | F1 of common % |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in read("rare_classes")["figures"]:
        recall = f"{row['recall_rare']:.0f} | {row['recall_common']:.0f} | {row['log_loss']:.2f}"
        f1 = f"{row['f1_rare']:.0f} | {row['f1_common']:.0f}"
        lines.append(f"| {row['rare_pictures']} | {row['weights']} | {recall} | {f1} |")
    return "\n".join(lines) + "\n"


def twins() -> str:
    """What is found as near duplicates, and what is missed of copies that were made."""
    results = read("duplicates")
    sets = results["sets"]
    ways = next(iter(sets.values()))["missed"]
    lines = [
        f"| near duplicates missed, of {next(iter(sets.values()))['made']} | {' | '.join(sets)} |",
        f"|---|{'---|' * len(sets)}",
        *(f"| {way} | {' | '.join(str(row['missed'][way]) for row in sets.values())} |" for way in ways),
        "",
    ]
    tiles = sets["magnetic-tile"]
    found = ", ".join(f"{row['found']} of {row['held_out']} in `{name}`" for name, row in sets.items())
    twice = " and ".join(
        f"{row['with_a_twin']} of the {row['test_pictures']:,} test images of {name}"
        for name, row in results["figures"].items()
    )
    twice = f"In CIFAR-10, {twice} have a twin among the training images. " if twice else ""
    seconds = ", ".join(f"{row['processor_s']:.0f} s for {row['pictures']:,} images" for row in sets.values())
    lines += [
        f"Found in the unchanged sets: {found}. Of those tiles {tiles['found_within_frames']} were photographed within "
        f"{tiles['frames']} frames of their partner; among tiles photographed far apart {tiles['found_apart']} pairs "
        f"are found. {twice}The search takes CPU time of {seconds} (`python -m benchmarks.duplicates`).",
    ]
    return "\n".join(lines) + "\n"


def fill_table() -> str:
    """How much of the score is left without the located region, by set and by how holes are filled."""
    results = read("surroundings")
    lines = [
        "| set | hole filled by | images | located region, % of the image | score without it, % | control, % | "
        "score of it alone, % | classes noted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        shares = " | ".join(f"{100 * row[name]:.0f}" for name in ("region", "without", "control", "only"))
        noted = f"{row['suspicious']} of {row['classes']}"
        lines.append(f"| {row['set']} | {row['fill']} | {row['pictures']} | {shares} | {noted} |")
    head = "| set | class | located region, % of the image | score without it, % | control, % | score of it alone, % |"
    lines += ["", head, "|---|---|---|---|---|---|"]
    for name, classes in results["classes"].items():
        for each in classes:
            shares = " | ".join(f"{100 * each[one]:.0f}" for one in ("region", "without", "control", "only"))
            lines.append(f"| {name} | {each['class']} | {shares} |")
    return "\n".join(lines) + "\n"


def streamed_table() -> str:
    """A head that is learned piece by piece against one that is learned at once."""
    results = read("streamed_head")
    lines = [
        "| images | features, MiB | learned | accuracy % | more memory, MiB | processor seconds |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['pictures']:,} | {row['features, MiB']} | {row['how']} | {row['accuracy']:.1f} | "
        f"{row['memory, MiB']} | {row['processor seconds']:.0f} |"
        for row in results["rows"]
    ]
    machine = results["machine"]
    lines += [
        "",
        "Ten classes of Tiny ImageNet, 500 others to measure on; the second pair learns from the same images five "
        "times over. Pages of the file of features count as memory here; the system takes them back at need. "
        f"On {_cores(machine)} ({machine['processor']}), with others at work. "
        "`python -m benchmarks.streamed_head` measures anew.",
    ]
    return "\n".join(lines) + "\n"


def _cores(machine: Mapping[str, Any]) -> str:
    count = machine["cores"]
    return f"{count} core{'' if count == 1 else 's'}"
