"""Tables of running: long runs, the service, the page, clips, and what the medium reproductions take."""

from __future__ import annotations

from typing import Any

from papers.catalogue import EXPERIMENTS
from tools.full_runs import a_step_of

from benchmarks.facts import read
from benchmarks.page_tool import PACE

LONG_RUNS = {
    "kills": {
        "kills": "at random moments",
        "kills after new shards": "of these, after another file was finished",
        "pictures once": "images with exactly one row at the end",
        "half-written files at the end": "half-written files at the end",
    },
    "rates": {
        "decode, pictures/s": "decoding alone, images per second",
        "network, pictures/s": "network alone, images per second",
        "whole, pictures/s": "the command, from its first image on, images per second",
        "whole over the slower": "the command, relative to the slower of the two",
    },
    "long run": {
        "pictures": "images",
        "failed": "of these, failed",
        "seconds": "seconds",
        "seconds to the first picture": "seconds before the first result",
        "CPU seconds": "CPU seconds",
        "writing, share of CPU time": "share of CPU time for writing",
        "memory before the first shard is written, MiB": "memory before the first file is written, MiB",
        "memory then, MiB": "memory when it is written, after 1,000 images, MiB",
        "memory at the end, MiB": "memory at the end, MiB",
        "memory, end over first": "memory at the end, relative to the first file",
    },
    "ray": {
        "plain, pictures/s": "without Ray, images per second",
        "Ray, pictures/s": "with Ray, images per second",
        "Ray over plain": "with Ray, relative to without",
        "Ray, seconds to the first": "with Ray, seconds before the first result",
        "Ray over plain, from the first on": "the same, from the first result on",
        "files that are the same, bit for bit": "share of files that are equal bit for bit",
    },
}
"""The rows of each part of `benchmarks.scale`, and their titles."""

_PRICE = 0.04
"""Dollars that an hour of one core (vCPU) costs, about: an assumption, no measurement."""


def scale_table() -> str:
    """What long runs were measured to do, and what that makes of millions of images."""
    results = read("scale")
    machine, targets = results["machine"], results["targets"]
    lines = ["| batch inference | measured | target |", "|---|---|---|"]
    for part, titles in LONG_RUNS.items():
        for name, words in titles.items() if part in results else ():
            value = results[part][name]
            shown = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
            lines.append(f"| {part}: {words} | {shown} | {targets.get(name, '')} |")
    missing = [part for part in LONG_RUNS if part not in results]
    loads = ", ".join(f"{results[part]['load average at the start']:.1f}" for part in LONG_RUNS if part in results)
    lines += [
        "",
        f"On {machine['cores']} cores ({machine['processor']}), {machine['date']}, with no other work. The load "
        f"average was {loads} when the parts began, mostly from the part before. "
        "`python -m benchmarks.scale` repeats the measurement, by default on 200,000 images."
        + (f" Not measured yet: {', '.join(missing)}." if missing else ""),
    ]
    if "long run" in results:
        run = results["long run"]
        each = run["CPU seconds"] / run["pictures"]
        lines += ["", "| images | core hours | hours on 16 cores | on 320 cores | dollars |", "|---|---|---|---|---|"]
        for millions in (1, 10, 100):
            hours = millions * 1e6 * each / 3600
            cells = f"{hours:,.1f} | {hours / 16:,.2f} | {hours / 320:,.2f} | {hours * _PRICE:,.2f}"
            lines.append(f"| {millions} million | {cells} |")
        lines += [
            "",
            f"Computed from {each * 1e3:.0f} ms of one core for an image of about 0.2 megapixels, "
            f"`efficientnet-lite0`, `fast`, in the run above, and {_PRICE} dollars an hour of a core (an assumption); "
            "storage and traffic are extra. Many machines were not measured: the hours assume that they do not slow "
            "each other down.",
        ]
    return "\n".join(lines) + "\n"


def serve_table() -> str:
    """What the service costs beside the library, and how it stood mixed load."""
    measured, load = read("serve"), read("serve_load")["figures"]
    figures = measured["figures"]
    rows = {
        "images per second when saturated, relative to `locate_many`": "service at saturation over locate_many",
        "the same in CPU time": "processor time of locate_many over the service's",
        "overhead of a request, ms": "overhead of a request, ms",
    }
    lines = ["| service, `balanced` | measured | target |", "|---|---|---|"]
    bounds = ("at least 0.85", "at least 0.85", "under 5")
    lines += [
        f"| {words} | {figures[key]:.2f} | {bound} |" for (words, key), bound in zip(rows.items(), bounds, strict=True)
    ]
    thirds = " / ".join(f"{size:.0f}" for size in load["memory by thirds of the time, median MiB"])
    busy = sum(count for name, count in load["answers"].items() if name.endswith("refused (503)"))
    lines += [
        f"| mixed load, {load['minutes']:g} minutes: {load['requests']:,} requests, wrong or missing responses | "
        f"{load['wrong answers']} | 0 |",
        f"| of these, refused for now (503) | {busy} | |",
        f"| its memory in each third of the time, MiB | {thirds} | flat |",
        "",
        f"Measured {measured['beside']}: other processes affect the first and the third row (single "
        f"rounds: {figures['the least of these ratios']:.2f} to {figures['the largest of these ratios']:.2f}). "
        f"CPU time grows less beside them; a request takes "
        f"{figures['service, processor ms a picture'] - figures['locate_many, processor ms a picture']:.1f} ms of it "
        f"in addition to the {figures['locate_many, processor ms a picture']:.1f} ms of locating. Mixed load is valid, "
        "broken, huge, slow and aborted requests from 12 clients. The service ran at the lowest priority beside "
        "other work, so some requests waited for more than the minute after which it responds 503. "
        "`python -m benchmarks.serve` and `python -m benchmarks.serve_load --minutes 30` repeat the measurements.",
    ]
    return "\n".join(lines) + "\n"


def page_table() -> str:
    """What an image takes in a browser, and how far its boxes are from Python's."""
    results = read("page")
    lines = [
        "| model, preset | folder, MB | ms, median | worst | CPU ms | CPU ms in Python | difference of boxes, pixels |",
        "|---|---|---|---|---|---|---|",
    ]
    for model, row in results["figures"].items():
        for preset, each in row["presets"].items():
            keys = ("page, median ms", "page, worst ms", "page, processor ms", "Python, processor ms")
            times = " | ".join(f"{each[key]:.0f}" for key in keys)
            apart = f"{each['boxes apart, pixels']:.2f}"
            lines.append(f"| {model}, {preset} | {row['MB']:.0f} | {times} | {apart} |")
    machine = results["machine"]
    lines += [
        "",
        f"Times as the page shows them, from the file to the boxes, for {results['pictures']} photographs in "
        f"{results['browser']} ({machine['processor']}), {results['beside']}. Other processes lengthen the "
        "times, and the CPU time of the thread that runs the model less. The target for `fast` is "
        f"{results['targets']['fast, median']:.0f} ms. The first image, before the browser has compiled the code, took "
        f"at most {_largest(results, 'page, first ms'):.0f} ms, in `balanced`. The difference of boxes is the largest "
        "distance of an edge from Python's with the same model. Int8 makes the download smaller; in browsers it is "
        "slower. `python -m benchmarks.page` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def page_tool_table() -> str:
    """What somebody waits for at the page of the service."""
    results = read("page_tool")
    figures, targets = results["figures"], results["targets"]
    first = figures["first result of 12 megapixels, median"]
    small, large = figures["60 photographs"], figures["60 photographs of 12 megapixels"]
    newcomer, scroll = figures["newcomer"], figures["scrolling a folder of 10,000"]
    uploads, memory = figures["smaller uploads"], figures["memory"]
    rows = [
        ("first result of a photograph of 12 megapixels", first, targets["first result of 12 megapixels, seconds"]),
        ("60 photographs of 0.2 megapixels", small, targets["60 photographs, seconds"]),
        ("60 photographs of 12 megapixels", large, None),
    ]
    lines = ["| | seconds | CPU seconds | target, seconds |", "|---|---|---|---|"]
    for name, row, target in rows:
        goal = "" if target is None else f"{target:g}"
        lines.append(f"| {name} | {row['seconds']:.1f} | {row['processor seconds']:.2f} | {goal} |")
    sizes = ", ".join(f"{memory[key]:.0f} MB after {key.split()[0]}" for key in memory if key.endswith("tab MB"))
    paced = newcomer["machine, seconds"] + PACE * newcomer["actions"]
    moved, most = uploads["edges apart, median % of the longer side"], uploads["edges apart, most, %"]
    lines += [
        "",
        f"In {results['browser']}, preset `balanced`, {results['beside']}: that lengthens the seconds, and "
        "less so the CPU seconds, which count browser and service. A script of a newcomer's way, from the empty page "
        f"with 60 images to a COCO file with three corrected boxes, takes {newcomer['machine, seconds']:.0f} s and "
        f"{newcomer['actions']} actions; with {PACE:g} s for a person to do each, {paced:.0f} s (target "
        f"{targets['newcomer, seconds']:.0f} s). The tab takes {sizes} images of 2 megapixels. A folder of 10,000 "
        f"images scrolls with a frame every {scroll['frame, median ms']:.0f} ms (95 %: "
        f"{scroll['frame, 95 % ms']:.0f} ms; {scroll['frame, processor ms of the tab']:.0f} ms of CPU), and has "
        f"{scroll['elements']} of them in the page at a time.",
        "",
        f"Smaller uploads: of {uploads['compared']} answers for 12 photographs of 12 megapixels and three presets, "
        f"{uploads['another class or no box']} have another class, or lose or gain the box. Edges of the best box move "
        f"by {moved:.2f} % of the image's longer side (median; at most {most:.1f} %), probabilities by at most "
        f"{uploads['probabilities apart, most']:.3f}. `python -m benchmarks.page_tool` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def _largest(results: dict[str, Any], key: str) -> float:
    return max(float(row[key]) for row in results["figures"].values())


def video_table() -> str:
    """What averaging over time does to boxes."""
    results = read("video")
    lines = ["| preset | stays | steady % | correct % |", "|---|---|---|---|"]
    lines += [f"| {row['preset']} | {row['kept']:g} | {row['steady']} | {row['right']} |" for row in results["rows"]]
    cuts = results["cuts"]
    lines += [
        "",
        f"{results['clips']} clips of {results['frames']} frames. Of cuts between two photographs {cuts['missed']} % "
        f"are missed; of pans within one {cuts['wrong']} % are mistaken for a cut. "
        "`python -m benchmarks.video` repeats the measurement.",
    ]
    return "\n".join(lines) + "\n"


def medium_table() -> str:
    """What the medium runs would take here."""
    results = read("device_check")
    step, machine = a_step_of(results), results["machine"]
    single = results["single precision"]["processor seconds a step"]
    settings = EXPERIMENTS["nin-heads"].scales["medium"]
    recipe, count = settings.recipe, len(settings.heads) * settings.seeds
    steps = -(-recipe.train // recipe.batch)
    seconds = step["processor seconds a step"] / machine["cores"]
    lines = [
        "| Network in Network at full width | |",
        "|---|---|",
        f"| a step of {step['batch']} images in single precision, processor seconds | {single:.2f} |",
        f"| as it is done here | {step['processor seconds a step']:.2f} |",
        f"| steps an epoch | {steps} |",
        f"| an epoch on {machine['cores']} idle cores, about, minutes | {steps * seconds / 60:.1f} |",
        f"| a network of {recipe.epochs} epochs, hours | {recipe.epochs * steps * seconds / 3600:.1f} |",
        f"| all {count} networks, hours | {count * recipe.epochs * steps * seconds / 3600:.1f} |",
        "",
        f"Measured on {machine['processor']}, {machine['date']}; hours are computed from the step, as if both cores "
        "were free and all of them used. Half precision is bfloat16 here. "
        "`python -m tools.device_check FILE --scale medium` measures anew.",
    ]
    return "\n".join(lines) + "\n"
