"""How fast boxless is, as ratios within one run. python -m benchmarks.speed

The bare forward pass is the same network, in ONNX Runtime, from its float input to its logits.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.facts import DATA, milliseconds, ratio, write_results
from boxless import Localizer
from boxless.imaging.read import read_image
from boxless.models import zoo
from boxless.models.presets import view_size
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

MODEL = zoo.models()[zoo.DEFAULT_MODEL]


def part_of_the_model(inputs: list[str], outputs: list[str], threads: int = 1) -> ort.InferenceSession:
    """A part of the shipped graph as a session of its own."""
    model = onnx.shape_inference.infer_shapes(onnx.load(MODEL))
    for value in (*model.graph.value_info, *model.graph.output):
        value.type.tensor_type.ClearField("shape")  # inferred for the default size alone
    part = onnx.utils.Extractor(model).extract_model(inputs, outputs)
    return session(part.SerializeToString(), threads)


def session(model: bytes | Path, threads: int) -> ort.InferenceSession:
    """A session with boxless's options."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def graph_ratios(side: int, rounds: int) -> dict[str, float]:
    """The graph with maps, and with the affinity of the walk too, over the bare forward pass."""
    settings = ["size", "classes", "top"]
    bare = part_of_the_model(["picture_scaled"], ["logits"])
    maps = part_of_the_model(["image", *settings], ["logits", "chosen", "class_maps"])
    whole = session(MODEL, 1)
    pixels = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    scaled = ((pixels.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2).copy()
    feed = {"image": pixels, "size": np.array([side, side]), "classes": np.array([], np.int64), "top": np.array([5])}
    times = milliseconds(
        {
            "bare": lambda: bare.run(None, {"picture_scaled": scaled}),
            "maps": lambda: maps.run(None, feed),
            "affinity": lambda: whole.run(None, feed),
        },
        rounds,
    )
    return {
        f"bare forward pass at {side}, ms": float(np.median(times["bare"])),
        f"graph with maps over bare at {side}": ratio(times, "maps", "bare"),
        f"graph with maps and affinity over bare at {side}": ratio(times, "affinity", "bare"),
    }


def locate_ratios(pixels: NDArray[np.uint8], rounds: int) -> dict[str, float]:
    """`Localizer.locate` on a decoded image over the bare forward pass on as many pixels."""
    first = Localizer(MODEL, "fast", threads=1)
    size = view_size(first.preset.scales[0], pixels.shape[0], pixels.shape[1], first.card.size_multiple)
    bare = part_of_the_model(["picture_scaled"], ["logits"])
    scaled = np.zeros((1, 3, *size), np.float32)
    localizers = {name: Localizer(MODEL, name, threads=1) for name in first.card.presets}
    tasks = {name: partial(each.locate, pixels) for name, each in localizers.items()}
    times = milliseconds({"bare": lambda: bare.run(None, {"picture_scaled": scaled}), **tasks}, rounds)
    figures = {f"locate, {name}, ms": float(np.median(times[name])) for name in tasks}
    return figures | {f"locate, {name}, over bare at 224": ratio(times, name, "bare") for name in tasks}


def folder_ratios(files: list[Path], preset: str, rounds: int = 5) -> dict[str, float]:
    """Images a second of a folder from end to end, over the smaller of decoding's and the network's alone.

    Both may use all cores and have to share them: an image costs what decoding and the network cost together, so no
    more than the *bound* is possible unless there are cores to spare.
    """
    localizer = Localizer(MODEL, preset)
    largest = localizer.preset.scales[-1]
    arrays = [read_image(file, enough=largest).pixels for file in files]
    cores = usable_cores()

    def rate(work: Iterable[object]) -> float:
        start = time.perf_counter()
        for _ in work:
            pass
        return len(files) / (time.perf_counter() - start)

    rates: dict[str, list[float]] = {"decode": [], "network": [], "whole": []}
    for _ in range(rounds):
        rates["decode"].append(rate(ordered_map(partial(read_image, enough=largest), files, cores)))
        rates["network"].append(rate(localizer.locate_many(arrays)))
        rates["whole"].append(rate(localizer.locate_many(files)))
    decode, network, whole = map(np.array, rates.values())
    slower, shared = np.minimum(decode, network), decode * network / (decode + network)
    return {
        **{f"{name} images/s, {preset}": float(np.median(value)) for name, value in rates.items()},
        f"whole over the slower, {preset}": float(np.median(whole / slower)),
        f"bound of that on shared cores, {preset}": float(np.median(shared / slower)),
    }


def _exhaust(localizer: Localizer, arrays: list[NDArray[np.uint8]]) -> None:
    for _ in localizer.locate_many(arrays):
        pass


def core_ratio(arrays: list[NDArray[np.uint8]], rounds: int = 5) -> dict[str, float]:
    """Many images each on a core of its own, over each on all cores: images a second, `fast`."""
    cores = usable_cores()
    localizers = {threads: Localizer(MODEL, "fast", threads=threads) for threads in (1, cores)}
    tasks = {str(threads): partial(_exhaust, each, arrays) for threads, each in localizers.items()}
    times = milliseconds(tasks, rounds, warm=1)
    return {"many on a core each, over many on all cores, images/s": ratio(times, str(cores), "1")}


def decode_ratios(photo: Path, rounds: int = 15) -> dict[str, float]:
    """Decoding a JPEG as boxless does, over OpenCV at full scale: a photo as it is, and one of 12 megapixels."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        with Image.open(photo) as image:
            image.resize((4000, 3000)).save(large, quality=90)
        for name, path in (("small", photo), ("12 megapixels", large)):
            tasks: dict[str, Callable[[], object]] = {
                "full": partial(cv2.imread, str(path)),
                "boxless": partial(read_image, path, enough=448),
            }
            figures[f"decode {name}, over OpenCV at full scale"] = ratio(milliseconds(tasks, rounds), "boxless", "full")
    return figures


def import_seconds(rounds: int = 15) -> dict[str, float]:
    """The time of `import boxless`, over that of an interpreter that imports nothing."""

    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    pairs = [(seconds("import boxless"), seconds("pass")) for _ in range(rounds)]
    return {"import boxless, s": float(np.median([one - nothing for one, nothing in pairs]))}


_MEMORY = """
import itertools, resource, sys
from pathlib import Path
from boxless import Localizer
files = sorted(Path(sys.argv[1]).glob("*.JPEG"))
run = Localizer("efficientnet-lite0", "fast").locate_many(itertools.islice(itertools.cycle(files), int(sys.argv[2])))
for found in run:
    assert found.error is None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(counts: tuple[int, ...] = (100, 1000)) -> dict[str, float]:
    """The peak memory of a process that locates in this many images."""
    figures = {}
    for count in counts:
        command = [sys.executable, "-c", _MEMORY, str(DATA / "photos"), str(count)]
        peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        figures[f"peak memory of {count} images, MiB"] = float(peak)
    return figures


# The targets that the figures are held against: at most, or (for images a second) at least.
TARGETS = {
    "graph with maps over bare at 224": 1.05,
    "graph with maps over bare at 448": 1.05,
    "graph with maps and affinity over bare at 224": 1.10,
    "graph with maps and affinity over bare at 448": 1.10,
    "locate, fast, over bare at 224": 1.25,
    "whole over the slower, fast": 0.9,
    "whole over the slower, balanced": 0.9,
    "import boxless, s": 0.15,
}


def main() -> None:
    """Measures, prints a table, writes benchmarks/results/speed.json."""
    files = sorted((DATA / "photos").glob("*.JPEG"))
    if not files:
        sys.exit(f"no images to measure on: {DATA / 'photos'} is missing (set BOXLESS_DATA)")
    figures = graph_ratios(224, 60) | graph_ratios(448, 30)
    figures |= locate_ratios(read_image(files[0]).pixels, 60)
    for preset in ("fast", "balanced"):
        figures |= folder_ratios(files * (4 if preset == "fast" else 1), preset)
    figures |= decode_ratios(files[0])
    figures |= core_ratio([read_image(file).pixels for file in files])
    figures |= import_seconds() | memory()

    table = Table("figure", "measured", "target")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}" if value < 10 else f"{value:.0f}", str(TARGETS.get(name, "")))
    Console().print(table)
    write_results("speed", {"figures": {name: round(value, 4) for name, value in figures.items()}, "targets": TARGETS})


if __name__ == "__main__":
    main()
