"""Long runs: speed, memory, kills, Parquet, Ray. python -m benchmarks.scale [--images 200000]

The images are made of the real ones (crops and mirrored), and hard-linked under as many names as are wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from benchmarks.facts import DATA, write_results
from benchmarks.provenance import RESULTS
from boxless import Localizer
from boxless.batch.job import Job, Settings
from boxless.batch.run import run
from boxless.batch.sources import images as items_of
from boxless.imaging.read import images_in, read_image
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

_VARIANTS = 10
"""Different images that are made of each real one."""

_IN_A_FOLDER = 1000

_ROUND = 100
"""Images of a round in which decoding, network and the whole take turns."""

_A_KILL = 300
"""Images for each kill: more than a quick machine processes between two, so that none comes when all is done."""

# A process of its own: its time starts at its start, its memory is nobody else's.
_RUN = """
import json, os, sys, time
start = time.time() - float(sys.argv[3])
from boxless.batch.job import Job, Settings
from boxless.batch.run import run
from boxless.batch.shards import Shards
said, writing = {"seconds to the first picture": None, "memory": {}}, [0.0]
write, written, seen = Shards.write, [0], [0]

def timed(shards, number, items, gathered):
    said["memory"].setdefault(0, memory())
    begin = time.thread_time()
    write(shards, number, items, gathered)
    writing[0] += time.thread_time() - begin
    written[0] += len(gathered)
    said["memory"][written[0]] = memory()

def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

def tell(pictures, failures):
    if not seen[0]:
        said["seconds to the first picture"] = time.time() - BEGUN
    seen[0] += pictures

BEGUN = float(sys.argv[3])
Shards.write = timed
began = time.time()
job = Job((sys.argv[1],), sys.argv[2], Settings(preset=sys.argv[4]), "parquet", int(sys.argv[5]))
done = run(job, on_progress=tell)
print(json.dumps({**said, "pictures": done.images, "failed": done.failed, "seconds": time.time() - began,
                  "CPU seconds": time.process_time(), "CPU seconds writing": writing[0]}))
"""

_KILLED = """
import sys
from boxless.batch.job import Job, Settings
from boxless.batch.run import run
run(Job((sys.argv[1],), sys.argv[2], Settings(preset="fast"), "parquet", int(sys.argv[3])))
"""


def make_images(folder: Path, count: int) -> None:
    """Fills a folder with `count` names of images, a thousand a sub-folder."""
    made = []
    chance = random.Random(0)
    for source in sorted((DATA / "photos").glob("*.JPEG")):
        with Image.open(source) as opened:
            image = opened.convert("RGB")
        for number in range(_VARIANTS):
            share = chance.uniform(0.7, 1.0)
            width, height = int(image.width * share), int(image.height * share)
            left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
            variant = image.crop((left, top, left + width, top + height))
            path = folder / ".made" / f"{source.stem}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            (ImageOps.mirror(variant) if number % 2 else variant).save(path, quality=90)
            made.append(path)
    for number in range(count):
        name = folder / f"{number // _IN_A_FOLDER:05}" / f"{number:08}.jpg"
        name.parent.mkdir(exist_ok=True)
        os.link(made[number % len(made)], name)


def rates(folder: Path, preset: str, rounds: int) -> dict[str, float]:
    """The long run from end to end over the slower of decoding and the network alone, in turns on the same images."""
    localizer = Localizer(Settings().model, preset, threads=1)
    enough, cores = localizer.preset.scales[-1], usable_cores()
    names = [item.name for item in islice(items_of([str(folder)]), rounds * _ROUND)]
    read = partial(read_image, enough=enough)

    def rate(work: Iterable[object]) -> float:
        start = time.perf_counter()
        for _ in work:
            pass
        return _ROUND / (time.perf_counter() - start)

    found: dict[str, list[float]] = {"decode": [], "network": [], "whole": []}
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds):
            files = names[number * _ROUND : (number + 1) * _ROUND]
            arrays = [read(file).pixels for file in files]
            listed = Path(place) / f"{number}.txt"
            listed.write_text("\n".join(files))
            found["decode"].append(rate(ordered_map(read, files, cores)))
            found["network"].append(rate(localizer.locate_many(arrays)))
            job = Job((str(listed),), f"{place}/{number}", Settings(preset=preset))
            start = time.perf_counter()
            first: list[float] = []
            run(job, on_progress=lambda images, failures: first.append(time.perf_counter()))  # noqa: B023
            # From the first image on: opening the model is no part of a long run's rate.
            found["whole"].append((_ROUND - 1) / (time.perf_counter() - first[0]) if first[0] > start else 0.0)
    slower = np.minimum(found["decode"], found["network"])
    return {
        **{f"{name}, pictures/s": float(np.median(value)) for name, value in found.items()},
        "whole over the slower": float(np.median(np.array(found["whole"]) / slower)),
    }


def long_run(folder: Path, out: Path, preset: str, shard: int, warm: int) -> dict[str, Any]:
    """One run over everything: first image, memory, CPU time, and that of writing."""
    command = [sys.executable, "-c", _RUN, str(folder), str(out), str(time.time()), preset, str(shard)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    memory = {int(count): value for count, value in said.pop("memory").items()}
    # The first shard that is written brings in what writing needs, once.
    first = memory[min((count for count in memory if count >= warm), default=max(memory))]
    return {
        **said,
        "memory before the first shard is written, MiB": memory[0],
        "memory looked at first after": warm,
        "memory then, MiB": first,
        "memory at the end, MiB": memory[max(memory)],
        "memory, end over first": memory[max(memory)] / first,
        "writing, share of CPU time": said["CPU seconds writing"] / said["CPU seconds"],
    }


def kills(folder: Path, out: Path, count: int, shard: int, images: int) -> dict[str, int]:
    """A run that is killed at random moments until it was killed `count` times: every image is there once."""
    import pyarrow.parquet as pq

    listed = out.with_suffix(".txt")
    names = [item.name for item in islice(items_of([str(folder)]), images)]
    listed.write_text("\n".join(names))
    command = [sys.executable, "-c", _KILLED, str(listed), str(out), str(shard)]
    chance, killed, whole = random.Random(0), 0, 0
    while killed < count:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = len(list(out.glob("part-*")))
        if killed % 2:  # every other one in its work on a shard, the rest at any moment from its start on
            while child.poll() is None and len(list(out.glob("part-*"))) == before:
                time.sleep(0.005)
        time.sleep(chance.uniform(0, 2.0))
        assert child.poll() is None, f"all was done after {killed} kills of {count}: more images are needed"
        child.send_signal(signal.SIGKILL)
        child.wait()
        killed += 1
        whole += len(list(out.glob("part-*"))) > before
    subprocess.run(command, check=True)
    found = [name for part in sorted(out.glob("part-*")) for name in pq.read_table(part)["image"].to_pylist()]
    assert found == names, "images were lost, or are there twice"
    return {
        "kills": killed,
        "kills after new shards": whole,
        "pictures": len(found),
        "pictures once": len(set(found)),
        "half-written files at the end": len(list(out.glob(".part*"))),
    }


def ray_over_plain(folder: Path, place: Path, images: int, shard: int, preset: str) -> dict[str, float]:
    """Ray on this machine over the plain run: from end to end, and from the first shard on."""
    from boxless.batch.on_ray import on_ray

    listed = place / "ray.txt"
    listed.write_text("\n".join(item.name for item in islice(items_of([str(folder)]), images)))
    found: dict[str, float] = {}
    for name, options in (("plain", {}), ("Ray", {"engine": on_ray})):
        job = Job((str(listed),), str(place / name), Settings(preset=preset), "parquet", shard)
        told: list[tuple[float, int]] = []
        start = time.perf_counter()
        run(job, on_progress=lambda count, failures: told.append((time.perf_counter(), count)), **options)  # type: ignore[arg-type]  # noqa: B023
        end = time.perf_counter()
        first, last = told[0], told[-1]
        found[f"{name}, seconds to the first"] = first[0] - start
        found[f"{name}, pictures/s"] = images / (end - start)
        found[f"{name}, pictures/s from the first on"] = (images - first[1]) / (last[0] - first[0])
    same = all(
        path.read_bytes() == (place / "Ray" / path.name).read_bytes() for path in (place / "plain").glob("part-*")
    )
    found["Ray over plain"] = found["Ray, pictures/s"] / found["plain, pictures/s"]
    found["Ray over plain, from the first on"] = (
        found["Ray, pictures/s from the first on"] / found["plain, pictures/s from the first on"]
    )
    return {**found, "files that are the same, bit for bit": float(same)}


# What the figures are held against.
TARGETS = {
    "whole over the slower": "at least 0.85",
    "memory, end over first": "at most 1.05",
    "seconds to the first picture": "at most 2",
    "writing, share of CPU time": "at most 0.03",
    "Ray over plain": "at least 0.8",
    "pictures once": "all",
}

PARTS = ("kills", "rates", "long run", "ray")


def main() -> None:
    """Measures, prints, writes benchmarks/results/scale.json after each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--warm", type=int, default=1000, help="images in files after which memory is measured")
    parser.add_argument(
        "--only", action="append", help="kills, rates, long run or ray; the rest stays as it was measured"
    )
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--shard", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ray", type=int, default=20_000, help="images of the comparison with Ray; 0 for none")
    given = parser.parse_args()
    if not images_in(DATA / "photos"):
        sys.exit(f"no images to measure on: {DATA / 'photos'} is missing (set BOXLESS_DATA)")
    stored = RESULTS / "scale.json"
    before = json.loads(stored.read_text(encoding="utf-8")) if given.only and stored.exists() else {}
    results: dict[str, Any] = {**{name: part for name, part in before.items() if name in PARTS}, "targets": TARGETS}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as place:
        folder = Path(place) / "pictures"
        make_images(folder, given.images)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "kills": lambda: kills(
                folder, Path(place) / "killed", given.kills, 20, min(given.images, _A_KILL * given.kills)
            ),
            "rates": lambda: rates(folder, given.preset, min(given.rounds, given.images // _ROUND)),
            "long run": lambda: long_run(folder, Path(place) / "long", given.preset, given.shard, given.warm),
            "ray": lambda: ray_over_plain(folder, Path(place), min(given.ray, given.images), 100, given.preset),
        }
        for name, measure in parts.items():
            if (name == "ray" and not given.ray) or (given.only and name not in given.only):
                continue
            load = os.getloadavg()[0]  # others at work on the machine tell more of a time than its processor
            figures = {"load average at the start": load, **measure()}
            results[name] = {key: round(value, 4) for key, value in figures.items()}
            print(name, json.dumps(results[name], indent=1))
            write_results("scale", results)


if __name__ == "__main__":
    main()
