"""Writes the tables of figures of README and docs from benchmarks/results. python -m benchmarks.readme"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.full_runs import a_step_of

from benchmarks import looks
from benchmarks.box_tables import (
    average_precision_table,
    detector_table,
    doubt_table,
    intervals_table,
    taught_table,
)
from benchmarks.facts import read
from boxless.files import write_whole
from boxless.reproduction.catalogue import EXPERIMENTS

_ROOT = Path(__file__).parent.parent
BEGIN = "<!-- figures: written by `make figures` from benchmarks/results -->\n"
END = "<!-- end of figures -->\n"

# The figures of speed that the README tells, and in what words.
SPEED = {
    "graph with maps over bare at 224": "class maps of the top five, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 224": "class maps and affinity, over the bare forward pass at 224",
    "graph with maps and affinity over bare at 448": "the same at 448",
    "locate, fast, over bare at 224": "`Localizer.locate` on a decoded picture, `fast`, over the bare forward pass",
    "whole over the slower, fast": "`locate_many` on JPEGs, `fast`, over the slower of decoding and network",
    "whole over the slower, balanced": "the same, `balanced`",
    "import boxless, s": "`import boxless`, seconds",
}


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
        f"On {machine['cores']} cores ({machine['processor']}), {machine['date']}: take the milliseconds as rough, the "
        "ratios below as firm.",
        "",
        "| speed, in one run | measured | target |",
        "|---|---|---|",
    ]
    for key, words in SPEED.items():
        value, target = speed["figures"][key], speed["targets"][key]
        least = key.startswith("whole")
        missed = ", missed" if (value < target if least else value > target) else ""
        lines.append(f"| {words} | {value:.3f} | {'at least' if least else 'at most'} {target:.2f}{missed} |")
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
        "present_across_halves": "classes in a picture that get a box",
        "absent_across_halves": "classes not in a picture that get one",
        "blank": "blank and noise pictures with any box",
    }
    lines = [
        f"| efficientnet-lite0 in float32, %, levels set on other pictures | {' | '.join(presets)} |",
        "|---" * (len(presets) + 1) + "|",
    ]
    for key, words in rows.items():
        lines.append(f"| {words} | {' | '.join(f'{row[key]:.1f}' for row in presets.values())} |")
    lines += [
        "",
        f"Of the boxes of the five likeliest classes, a right one has a higher score than a wrong one in "
        f"{ranking['score']:.0f} % of all pairs ({ranking['share_alone']:.0f} % by a box's share of its map alone).",
        "",
        "| object, % of the picture, `balanced` | pictures | one box right at IoU 0.5, % | "
        "area of the box over the object's |",
        "|---|---|---|---|",
    ]
    for row in figures["by_size"]:
        sizes = f"{100 * row['from']:.0f} to {100 * row['to']:.0f}"
        lines.append(f"| {sizes} | {row['pictures']} | {row['right']:.0f} | {row['box_over_object']:.1f} |")
    return lines


def _own_data_lines() -> list[str]:
    """What own classes reach from labels alone, on held-out pictures."""
    tiles, twins = read("own_data")["final"]["val"], read("duplicates")["sets"]["magnetic-tile"]
    lines = [
        "| own classes, AP50 of all boxes on held-out pictures, % | class maps of `boxless fit` | "
        "detector from labels | detector from drawn boxes |",
        "|---|---|---|---|",
    ]
    described = {
        "cards": "playing cards, several a picture",
        "magnetic-tile": "defects of magnetic tiles",
        "tiny10": "ten classes of Tiny ImageNet, one a picture",
    }
    for name, words in described.items():
        data = read("detector")["data"][name]
        keys = ("class maps, balanced", "taught by labels", "taught by boxes")
        cells = " | ".join(f"{data[key]['AP50']:.1f}" if key in data else "" for key in keys)
        lines.append(f"| {words} | {cells} |")
    return [
        *lines,
        "",
        f"Of the defects {_with_interval(tiles['top1'])} % are named rightly and "
        f"{_with_interval(tiles['one_box'])} % get a right box (mean over IoU 0.3, 0.5 and 0.7), with `balanced`; "
        f"MaxBoxAccV2 is {_with_interval(tiles['oracle'])}. {twins['found']} of the {twins['held_out']} held-out "
        "pictures show a tile that was learned from in another light, and how small things are searched for was "
        "chosen with boxes of pictures that were learned from, so new tiles will do worse "
        "([own data](docs/own-data.md)).",
    ]


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
        f"The command `boxless fit` from start to report, on {machine['cores']} cores ({machine['processor']}), "
        f"{machine['date']}: the load is how many processes wanted them when it began. "
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


def twins() -> str:
    """What is found as near duplicates, and what is missed of copies that were made."""
    results = read("duplicates")
    sets = results["sets"]
    ways = next(iter(sets.values()))["missed"]
    lines = [
        f"| copies not found, of {next(iter(sets.values()))['made']} | {' | '.join(sets)} |",
        f"|---|{'---|' * len(sets)}",
        *(f"| {way} | {' | '.join(str(row['missed'][way]) for row in sets.values())} |" for way in ways),
        "",
    ]
    tiles = sets["magnetic-tile"]
    found = ", ".join(f"{row['found']} of {row['held_out']} in `{name}`" for name, row in sets.items())
    twice = " and ".join(
        f"{row['with_a_twin']} of the {row['test_pictures']:,} test pictures of {name}"
        for name, row in results["figures"].items()
    )
    twice = f"In CIFAR-10, {twice} have a twin among the training pictures. " if twice else ""
    seconds = ", ".join(f"{row['processor_s']:.0f} s for {row['pictures']:,} pictures" for row in sets.values())
    lines += [
        f"Found as they are: {found}. Of those tiles {tiles['found_within_frames']} were photographed within "
        f"{tiles['frames']} frames of their partner; among tiles photographed far apart {tiles['found_apart']} pairs "
        f"are found. {twice}It takes {seconds}, of processor time (`python -m benchmarks.duplicates`).",
    ]
    return "\n".join(lines) + "\n"


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


def fill_table() -> str:
    """How much evidence is left without what was found, by set and by how holes are filled."""
    results = read("surroundings")
    lines = [
        "| set | hole filled by | pictures | found region % | evidence without it % | control % | by it alone % | "
        "classes noted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        shares = " | ".join(f"{100 * row[name]:.0f}" for name in ("region", "without", "control", "only"))
        noted = f"{row['suspicious']} of {row['classes']}"
        lines.append(f"| {row['set']} | {row['fill']} | {row['pictures']} | {shares} | {noted} |")
    head = "| set | class | found region % | evidence without it % | control % | by it alone % |"
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
        "| pictures | features, MiB | learned | accuracy % | more memory, MiB | processor seconds |",
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
        "Ten classes of Tiny ImageNet, 500 others to measure on; the second pair learns from the same pictures five "
        "times over. Pages of the file of features count as memory here; the system takes them back at need. "
        f"On {machine['cores']} cores ({machine['processor']}), with others at work. "
        "`python -m benchmarks.streamed_head` measures anew.",
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


def _with_interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.1f} ({figure['low']:.1f} to {figure['high']:.1f})"


PAGES: dict[Path, Callable[[], str] | tuple[Callable[[], str], ...]] = {
    _ROOT / "README.md": readme_tables,
    _ROOT / "docs/scale.md": scale_table,
    _ROOT / "docs/serve.md": serve_table,
    _ROOT / "docs/page.md": page_table,
    _ROOT / "docs/fit.md": lambda: f"{fit_table()}\n{fit_time_table()}\n{twins()}",
    _ROOT / "docs/detector.md": detector_table,
    _ROOT / "docs/evaluate.md": average_precision_table,
    _ROOT / "docs/video.md": video_table,
    _ROOT / "docs/accuracy.md": (looks.smaller, looks.small_objects, looks.full_size, looks.backbones),
    _ROOT / "docs/decisions/0044-what-a-class-survives.md": fill_table,
    _ROOT / "docs/decisions/0045-eight-bits-where-the-processor-has-them.md": looks.presets,
    _ROOT / "docs/decisions/0028-intervals-of-average-precision.md": intervals_table,
    _ROOT / "docs/decisions/0058-a-detector-that-may-be-worse.md": (doubt_table, taught_table),
    _ROOT / "docs/full-runs.md": medium_table,
    _ROOT / "docs/decisions/0064-the-same-head-piece-by-piece.md": streamed_table,
    _ROOT / "docs/decisions/0011-rare-classes-count-alike.md": rare_table,
}
"""The table of each page, or its tables in their order there."""


def with_tables(page: Path) -> str:
    """A page's text with its tables as the results are now."""
    before, *rest = page.read_text(encoding="utf-8").split(BEGIN)
    made = PAGES[page]
    tables = zip(made if isinstance(made, tuple) else (made,), (each.split(END, 1)[1] for each in rest), strict=True)
    return before + "".join(f"{BEGIN}\n{table()}\n{END}{after}" for table, after in tables)


if __name__ == "__main__":
    for page in PAGES:
        text = with_tables(page)
        write_whole(page, lambda beside, text=text: beside.write_text(text, encoding="utf-8"))  # type: ignore[misc]
