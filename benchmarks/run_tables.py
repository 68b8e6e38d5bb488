"""Tables of running: long runs, the service, the page, clips, and what the medium reproductions take."""

from __future__ import annotations

from typing import Any

from papers.catalogue import EXPERIMENTS
from tools.full_runs import a_step_of

from benchmarks.facts import read

LONG_RUNS = {
    "kills": {
        "kills": "killed at random moments, times",
        "kills after new shards": "of these, after a file more was finished",
        "pictures once": "pictures with one row each at the end",
        "half-written files at the end": "half-written files at the end",
    },
    "rates": {
        "decode, pictures/s": "decoding alone, pictures a second",
        "network, pictures/s": "network alone, pictures a second",
        "whole, pictures/s": "the command, from its first picture on, pictures a second",
        "whole over the slower": "the command over the slower of the two",
    },
    "long run": {
        "pictures": "pictures",
        "failed": "of these, failed",
        "seconds": "seconds",
        "seconds to the first picture": "of these, before the first result",
        "CPU seconds": "processor seconds",
        "writing, share of CPU time": "of these, for writing, share",
        "memory before the first shard is written, MiB": "memory before the first file is written, MiB",
        "memory then, MiB": "memory when it is written, after 1,000 pictures, MiB",
        "memory at the end, MiB": "memory at the end, MiB",
        "memory, end over first": "memory at the end over that when the first file is written",
    },
    "ray": {
        "plain, pictures/s": "without Ray, pictures a second",
        "Ray, pictures/s": "with Ray, pictures a second",
        "Ray over plain": "with Ray over without",
        "Ray, seconds to the first": "with Ray, seconds before the first result",
        "Ray over plain, from the first on": "with Ray over without, from the first result on",
        "files that are the same, bit for bit": "files that are the same bit for bit, share",
    },
}
"""What is told of each part of `benchmarks.scale`, and in what words."""

_PRICE = 0.04
"""Dollars that an hour of one core (vCPU) costs, about: an assumption, no measurement."""


def scale_table() -> str:
    """What long runs were measured to do, and what that makes of millions of pictures."""
    results = read("scale")
    machine, targets = results["machine"], results["targets"]
    lines = ["| long runs | measured | target |", "|---|---|---|"]
    for part, told in LONG_RUNS.items():
        for name, words in told.items() if part in results else ():
            value = results[part][name]
            shown = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
            lines.append(f"| {part}: {words} | {shown} | {targets.get(name, '')} |")
    missing = [part for part in LONG_RUNS if part not in results]
    loads = ", ".join(f"{results[part]['load average at the start']:.1f}" for part in LONG_RUNS if part in results)
    lines += [
        "",
        f"On {machine['cores']} cores ({machine['processor']}), {machine['date']}, with nothing else at work; the load "
        f"average was {loads} when the parts began, mostly of the part before. "
        "`python -m benchmarks.scale` measures anew, by default on 200,000 pictures."
        + (f" Not measured yet: {', '.join(missing)}." if missing else ""),
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
            f"From {each * 1e3:.0f} ms of one core a picture of about 0.2 megapixels, `efficientnet-lite0`, `fast`, in "
            f"the run above, and {_PRICE} dollars an hour of a core (an assumption); storage and traffic come on top. "
            "Many machines were not measured: the hours suppose that they do not hinder each other.",
        ]
    return "\n".join(lines) + "\n"


def serve_table() -> str:
    """What the service costs beside the library, and how it stood mixed load."""
    measured, load = read("serve"), read("serve_load")["figures"]
    figures = measured["figures"]
    rows = {
        "pictures a second, service at saturation over `locate_many`": "service at saturation over locate_many",
        "the same in processor time": "processor time of locate_many over the service's",
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
        f"| mixed load, {load['minutes']:g} minutes: {load['requests']:,} requests, wrong or no answers | "
        f"{load['wrong answers']} | 0 |",
        f"| of these, told to come again (503) | {busy} | |",
        f"| memory of it by thirds of the time, MiB | {thirds} | flat |",
        "",
        f"While {measured['beside']}, so that the first and the third row mostly tell what the neighbours did (single "
        f"rounds: {figures['the least of these ratios']:.2f} to {figures['the largest of these ratios']:.2f}); "
        "processor time stands that, and of it a request takes "
        f"{figures['service, processor ms a picture'] - figures['locate_many, processor ms a picture']:.1f} ms beside "
        f"the {figures['locate_many, processor ms a picture']:.1f} of locating. Mixed load is good, broken, huge, "
        "slow and aborted requests from 12 clients; the service under it ran at the lowest priority, beside the work "
        "of others, so that some waited for longer than the minute after which it says 503. "
        "`python -m benchmarks.serve` and "
        "`python -m benchmarks.serve_load --minutes 30` measure anew.",
    ]
    return "\n".join(lines) + "\n"


def page_table() -> str:
    """What a picture takes in a browser, and how far its boxes are from Python's."""
    results = read("page")
    lines = [
        "| model, preset | folder, MB | ms, median | worst | processor ms | in Python | boxes apart, pixels |",
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
        f"As the page shows it, from the file to the boxes, for {results['pictures']} photographs in "
        f"{results['browser']} ({machine['processor']}), while {results['beside']}: with many, times are mostly of "
        "waiting for them. Processor time, of the thread that looks, is not. The target for `fast` is "
        f"{results['targets']['fast, median']:.0f} ms. The very first picture, before the browser has compiled what is "
        f"used often, took {_largest(results, 'page, first ms'):.0f} ms at most, in `balanced`. Pixels are the largest "
        "distance of an edge from Python's with the same model. Eight bits are for the download: in browsers they are "
        "slower. `python -m benchmarks.page` measures anew.",
    ]
    return "\n".join(lines) + "\n"


def _largest(results: dict[str, Any], key: str) -> float:
    return max(float(row[key]) for row in results["figures"].values())


def video_table() -> str:
    """What averaging over time does to boxes."""
    results = read("video")
    lines = ["| preset | stays | steady % | right % |", "|---|---|---|---|"]
    lines += [f"| {row['preset']} | {row['kept']:g} | {row['steady']} | {row['right']} |" for row in results["rows"]]
    cuts = results["cuts"]
    lines += [
        "",
        f"{results['clips']} clips of {results['frames']} frames. Of cuts between two photographs {cuts['missed']} % "
        f"are missed; of pans within one {cuts['wrong']} % are taken for a cut. `python -m benchmarks.video` measures "
        "anew.",
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
        f"| a step of {step['batch']} pictures in single precision, processor seconds | {single:.2f} |",
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
