"""The page without a server: its modules agree with Python, and the command that writes it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.imaging import profiles
from tests.serve.browsing import module
from typer.testing import CliRunner

from boxless import BoxlessError, Localizer
from boxless.cli import app
from boxless.imaging.colour import in_srgb
from boxless.imaging.draw import overlay
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.boxes import Box, boxes_in_map, suppress_overlaps
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps, walk
from boxless.models.model_file import ModelFile, Output
from boxless.models.presets import LocalizationPass, Preset, view_size
from boxless.models.zoo import DEFAULT_MODEL, EIGHT_BIT_MODEL
from boxless.serve.alone import ALONE, WEB, find_runtime, write_alone

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's modules in one folder, as Node takes them."""
    if shutil.which("node") is None:
        pytest.skip("no Node to run the page's modules: apt-get install nodejs")
    folder = tmp_path_factory.mktemp("modules")
    for path in (*WEB.glob("*.js"), *ALONE.glob("*.js")):
        shutil.copy(path, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def in_node(program: str, folder: Path, cases: Sequence[object]) -> list[Any]:
    """What a program beside this file makes of cases with the page's modules in a folder."""
    command = ["node", str(Path(__file__).parent / program), str(folder)]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def in_javascript(modules: Path, *cases: tuple[str, dict[str, Any]]) -> list[Any]:
    """What the page's modules make of cases: (function, arguments)."""
    return in_node("agree.mjs", modules, cases)


def as_map(values: Floats) -> tuple[int, int, list[float]]:
    return (*values.shape, values.ravel().tolist())


def tensor(values: Floats | None) -> dict[str, Any] | None:
    return None if values is None else {"shape": values.shape, "values": values.ravel().tolist()}


RANDOM = np.random.default_rng(7)


def test_maps_agree(modules: Path) -> None:
    grids = [(7, 7, 14, 14), (14, 10, 7, 5), (14, 9, 6, 4), (7, 9, 133, 200), (1, 1, 5, 3), (6, 6, 6, 6), (9, 5, 3, 8)]
    maps = [RANDOM.normal(size=(h, w)).astype(np.float32) for h, w, _, _ in grids]
    cases = [("resizeMap", {"map": as_map(each), "rows": rows, "columns": columns})
             for each, (_, _, rows, columns) in zip(maps, grids, strict=True)]  # fmt: skip
    for got, each, (_, _, rows, columns) in zip(in_javascript(modules, *cases), maps, grids, strict=True):
        np.testing.assert_allclose(got, resize_maps(each[None], rows, columns).ravel(), atol=1e-5)
    (got, empty) = in_javascript(
        modules,
        ("scoreMap", {"map": as_map(maps[0]), "rows": 40, "columns": 60}),
        ("scoreMap", {"map": as_map(-np.abs(maps[0])), "rows": 4, "columns": 6}),
    )
    np.testing.assert_allclose(got, normalise(resize_maps(maps[0][None], 40, 60)).ravel(), atol=1e-5)
    assert set(empty) == {0}


def test_the_walk_agrees(modules: Path) -> None:
    affinity = RANDOM.random((12, 16, 6, 8)).astype(np.float32)
    affinity /= affinity.sum(axis=(2, 3), keepdims=True)
    start = RANDOM.random((6, 8)).astype(np.float32)
    cases = [("walk", {"map": as_map(start), "affinity": tensor(affinity), "steps": steps}) for steps in (1, 2, 4)]
    for got, steps in zip(in_javascript(modules, *cases), (1, 2, 4), strict=True):
        np.testing.assert_allclose(got, walk(start[None], affinity, steps).ravel(), rtol=1e-4)


def test_sizes_agree(modules: Path) -> None:
    sizes = [(224, 400, 600), (448, 300, 451), (224, 10, 4000), (576, 4000, 10), (224, 1, 1), (320, 427, 640)]
    card = {"size_multiple": 32}
    cases = [("inputSize", {"card": card, "side": side, "height": h, "width": w}) for side, h, w in sizes]
    assert in_javascript(modules, *cases) == [list(view_size(side, h, w, 32)) for side, h, w in sizes]


def test_boxes_agree(modules: Path) -> None:
    smooth = [resize_maps(RANDOM.normal(size=(1, 6, 8)).astype(np.float32), 96, 128)[0].clip(0) for _ in range(6)]
    smooth.append(np.zeros((4, 4), np.float32))
    settings = {"threshold": 0.54, "height": 427, "width": 640, "probability": 0.8}
    answers = in_javascript(modules, *(("boxes", {"map": as_map(each), **settings}) for each in smooth))
    assert max(map(len, answers)) > 1
    for got, each in zip(answers, smooth, strict=True):
        expected = boxes_in_map(each, 0.54, 427, 640, 0.8)
        assert [box["box"] for box in got] == [pytest.approx(box.xyxy) for box in expected]
        assert [box["score"] for box in got] == pytest.approx([box.score for box in expected], rel=1e-4)


def test_suppressed_boxes_agree(modules: Path) -> None:
    corners = RANDOM.uniform(0, 60, (40, 2))
    edges = np.hstack([corners, corners + RANDOM.uniform(10, 40, (40, 2))])
    scores = RANDOM.random(40).tolist()
    boxes = [Box(x0, y0, x1, y1, score) for (x0, y0, x1, y1), score in zip(edges.tolist(), scores, strict=True)]
    candidates = [tuple(boxes[k::4]) for k in range(4)]
    plain = [[{"box": box.xyxy, "score": box.score} for box in some] for some in candidates]
    for most in (0.3, 0.5, 1.0):
        (got,) = in_javascript(modules, ("suppressOverlaps", {"candidates": plain, "most": most}))
        expected = suppress_overlaps(candidates, most)
        assert [[each["score"] for each in some] for some in got] == [
            sorted((box.score for box in some), reverse=True) for some in expected
        ]
        assert (sum(map(len, expected)) == 40) == (most == 1)


def test_pixels_agree(modules: Path, images: Path) -> None:
    pixels = read_image(images / "rocket.jpg").pixels[40:300, 100:471]
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    sizes = [
        (64, 96),
        (160, 224),
        (32, 32),
        (192, 352),
        (13, 300),
        (288, 416),
        (320, 400),
        (600, 37),
        (60, 90),
        (16, 20),
    ]
    given = {"data": rgba.ravel().tolist(), "height": pixels.shape[0], "width": pixels.shape[1]}
    answers = in_javascript(
        modules, *(("resizePixels", {**given, "rows": rows, "columns": columns}) for rows, columns in sizes)
    )
    for got, size in zip(answers, sizes, strict=True):
        np.testing.assert_array_equal(np.reshape(got, (*size, 3)), resize_pixels(pixels, *size))


def base64(content: bytes) -> str:
    return b64encode(content).decode()


CURVED = profiles.table([(i / 1023) ** 2.2 for i in range(1024)])
IN_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOURS = {
    "Adobe RGB": profiles.rgb(profiles.ADOBE, profiles.gamma(2.19921875)),
    "Display P3": profiles.rgb(
        profiles.DISPLAY_P3, profiles.parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    ),
    "ProPhoto": profiles.rgb(profiles.PROPHOTO, profiles.gamma(1.8)),
    "a table": profiles.rgb(profiles.ADOBE, CURVED),
    "a short table": profiles.rgb(profiles.ADOBE, profiles.table((0, 0.1, 0.3, 1))),
    "linear": profiles.rgb(profiles.ADOBE, profiles.table(())),
    "three curves": profiles.rgb(profiles.ADOBE, CURVED, profiles.gamma(1.8), profiles.parametric(0, 2.0)),
    "kind 1": profiles.rgb(profiles.ADOBE, profiles.parametric(1, 2.2, 1.1, -0.1)),
    "kind 2": profiles.rgb(profiles.ADOBE, profiles.parametric(2, 2.2, 1.1, -0.1, 0)),
    "kind 4": profiles.rgb(profiles.ADOBE, profiles.parametric(4, 2.4, 0.94, 0.05, 0.08, 0.04, 0, 0)),
    "sRGB with another curve": profiles.rgb(profiles.SRGB, profiles.gamma(1.8)),
    "sRGB": IN_SRGB,
    "nearly sRGB": profiles.rgb([(x + 1e-4, y) for x, y in profiles.SRGB], CURVED),
    "grey": profiles.grey(profiles.gamma(2.2)),
    "damaged": profiles.rgb(profiles.ADOBE, CURVED)[:600],
    "a formula that there is not": profiles.rgb(profiles.ADOBE, profiles.parametric(5, 2.4, 1, 0, 0, 0, 0, 0)),
    "text": b"no profile at all, but long enough to have a header" * 9,
    "none": b"",
}
GREYS = {
    "gamma": profiles.grey(profiles.gamma(2.2)),
    "dot gain": profiles.grey(
        profiles.table([max(0.0, x - 0.43 * x * (1 - x)) ** 1.9 for x in np.linspace(0, 1, 256)])
    ),
    "grey black": profiles.grey(profiles.table([0.02 + 0.98 * x**2 for x in np.linspace(0, 1, 256)])),
    "inverted": profiles.grey(profiles.table([1, 0])),
    "lightness": profiles.grey(profiles.gamma(1.2), b"Lab "),
    "Adobe RGB": COLOURS["Adobe RGB"],
    "without a curve": profiles.rgb(profiles.ADOBE, CURVED).replace(b"RGB XYZ ", b"GRAYXYZ "),
}


@pytest.mark.parametrize(("mode", "kind", "icc"), [("RGB", "RGB", COLOURS), ("L", "GRAY", GREYS)], ids=["RGB", "grey"])
def test_colours_agree(modules: Path, mode: str, kind: str, icc: dict[str, bytes]) -> None:
    steps = np.arange(0, 256, 17 if mode == "RGB" else 1, dtype=np.uint8)
    grid = np.stack(np.meshgrid(*[steps] * 3), axis=-1).reshape(1, -1, 3) if mode == "RGB" else steps[None]
    image = Image.fromarray(grid)
    data = np.asarray(image.convert("RGBA")).ravel().tolist()
    answers = in_javascript(
        modules, *(("conversion", {"profile": base64(each), "kind": kind, "data": data}) for each in icc.values())
    )
    for got, (name, each) in zip(answers, icc.items(), strict=True):
        expected = np.asarray(in_srgb(image, each))
        np.testing.assert_array_equal(np.reshape(got, (1, -1, 4))[..., :3], expected, err_msg=name)


def test_profiles_that_are_left_to_the_browser(modules: Path) -> None:
    light = profiles.table([0.02 + 0.98 * x**2 for x in np.linspace(0, 1, 256)])
    left = [("RGB", profiles.rgb(profiles.ADOBE, CURVED, A2B0=b"mft2" + bytes(60))),
            ("RGB", profiles.rgb(profiles.ADOBE, light)), ("CMYK", b"")]  # fmt: skip
    cases = (("conversion", {"profile": base64(each), "kind": kind, "data": []}) for kind, each in left)
    assert in_javascript(modules, *cases) == [None] * len(left)


def test_embedded_profiles_are_found(modules: Path, coffee: Path) -> None:
    grey = GREYS["gamma"]
    wide = COLOURS["Adobe RGB"]
    long = wide + RANDOM.bytes(150_000)  # in three segments of a JPEG
    with Image.open(coffee) as opened:
        image = opened.convert("RGB").resize((60, 40))
    alone = image.convert("L")
    transparent = image.copy()
    transparent.putalpha(100)
    stored = [
        (image, "JPEG", wide, "RGB"), (image, "JPEG", long, "RGB"), (image, "JPEG", None, "RGB"),
        (alone, "JPEG", grey, "GRAY"), (image.convert("CMYK"), "JPEG", wide, "CMYK"),
        (image, "PNG", wide, "RGB"), (image, "PNG", long, "RGB"), (image.quantize(16), "PNG", wide, "RGB"),
        (transparent, "PNG", wide, "RGB"), (alone, "PNG", grey, "GRAY"), (alone, "PNG", None, "GRAY"),
        (transparent.convert("LA"), "PNG", grey, "RGB"), (alone.convert("1"), "PNG", grey, "RGB"),
        (image, "WEBP", wide, "RGB"), (transparent, "WEBP", long, "RGB"), (image, "WEBP", None, "RGB"),
        (image, "AVIF", wide, "RGB"), (transparent, "AVIF", long, "RGB"), (image, "AVIF", None, "RGB"),
    ]  # fmt: skip
    files = []
    for each, container, icc, _ in stored:
        file = io.BytesIO()
        each.save(file, container, icc_profile=icc)
        files.append(file.getvalue())
    answers = in_javascript(modules, *(("embeddedProfile", {"file": base64(each)}) for each in files))
    assert answers == [[kind, base64(icc or b"")] for *_, icc, kind in stored]
    others = [b"", b"no image", b"GIF89a", files[0][:100], b"\0\0\0\x14ftypheic"]
    cases = (("embeddedProfile", {"file": base64(each)}) for each in others)
    assert in_javascript(modules, *cases) == [None] * len(others)


def test_drawings_agree(modules: Path, images: Path) -> None:
    pixels = read_image(images / "coffee.jpg").pixels[:50, :80]
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    scores = resize_maps(RANDOM.random((1, 4, 5)).astype(np.float32), 50, 80)[0]
    scores -= scores.min()
    (got,) = in_javascript(
        modules, ("overlay", {"data": rgba.ravel().tolist(), "scores": scores.ravel().tolist(), "strength": 0.7})
    )
    difference = np.reshape(got, rgba.shape)[..., :3] - overlay(pixels, scores, 0.7).astype(int)
    assert np.abs(difference).max() <= 2  # of 255: colours of neighbouring scores, where they round otherwise
    assert np.abs(difference).mean() < 0.05


class Recording:
    """A network whose outputs are kept."""

    def __init__(self, older: bool = False) -> None:
        self.older = older  # a file that has maps of a class map head alone, by their old name
        self.network = ModelFile(DEFAULT_MODEL, threads=1)
        card = self.network.card
        cuts = tuple(np.linspace(0.3, 0.7, len(card.labels)).round(3).tolist())
        passes = (
            LocalizationPass(224, (281,), "head"),
            LocalizationPass(192, (285,), "head", margin=32),
            LocalizationPass(288, (967,), "anomaly", 3, 2.0),
            LocalizationPass(288, (968,), "class_maps", 2, 1.0),
        )
        localizing = Preset((160, 224), 2, thresholds=cuts, localization=passes)
        self.card = replace(card, presets={**card.presets, "localizing": localizing})
        self.outputs: list[Output] = []
        self.sizes: list[list[Any]] = []

    def run(self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        output = self.network.run(pixels, size=size, classes=classes, top=top)
        # What is unusual is what is not alike; and the more activation, the more probable.
        anomaly = None if output.affinity is None else 9 - 5 * output.affinity.max(axis=(2, 3))
        # Of a localization head and of a class map head.
        probable = np.asarray(1 / (1 + np.exp(-resize_maps(output.class_maps, 20, 30))), np.float32)
        own = output.class_maps[:, ::-1] + 1
        older, newer = (
            replace(output, localization_maps=own),
            replace(output, localization_maps=probable, localization_class_maps=own),
        )
        self.outputs.append(replace(older if self.older else newer, anomaly=anomaly))
        self.sizes.append([*size, list(classes), top])
        return self.outputs[-1]


@pytest.mark.parametrize(
    ("preset", "older"), [("fast", False), ("balanced", False), ("localizing", False), ("localizing", True)]
)
@pytest.mark.parametrize("classes", [None, [968, 281, 285]])
def test_the_whole_agrees(modules: Path, coffee: Path, preset: str, older: bool, classes: list[int] | None) -> None:
    network = Recording(older)
    found = Localizer(network, preset).locate(coffee, top=3, classes=classes)
    outputs = [
        {
            "logits": each.logits.tolist(),
            "chosen": each.chosen.tolist(),
            "class_maps": tensor(each.class_maps),
            "affinity": tensor(each.affinity),
            "anomaly": tensor(each.anomaly),
            "localization_maps": tensor(each.localization_maps),
            "localization_class_maps": tensor(each.localization_class_maps),
        }
        for each in network.outputs
    ]
    given = {"card": asdict(network.card), "preset": preset, "height": found.height, "width": found.width,
             "wanted": {"top": 3, "classes": classes}, "outputs": outputs}  # fmt: skip
    (answer,) = in_javascript(modules, ("locate", given))
    assert answer["seen"] == network.sizes
    for got, expected in zip(answer["predictions"], found.predictions, strict=True):
        told = expected.to_dict()
        assert got.keys() == told.keys()
        for name in ("label", "class_index", "detected", "box"):
            assert (
                got[name] == (pytest.approx(told[name], abs=0.02) if told[name] is not None else None)
                or got[name] == told[name]
            ), name
        for name in ("probability", "activation"):
            assert got[name] == pytest.approx(told[name], rel=1e-3, abs=1e-6)
        assert [box["score"] for box in got["boxes"]] == pytest.approx(
            [box["score"] for box in told["boxes"]], abs=2e-4
        )


@pytest.mark.parametrize("model", [DEFAULT_MODEL, EIGHT_BIT_MODEL])
def test_the_whole_agrees_with_the_model_run(modules: Path, images: Path, tmp_path: Path, model: str) -> None:
    shutil.copytree(modules, tmp_path, dirs_exist_ok=True)
    write_alone(model, tmp_path, find_runtime(module("onnxruntime-web"), Path.cwd()))
    cases = []
    for path in sorted(images.glob("*.jpg")):  # one of them is enlarged by `balanced`, the others shrink
        pixels = read_image(path).pixels
        raw = tmp_path / path.stem
        raw.write_bytes(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]).tobytes())
        size = {"pixels": str(raw), "height": pixels.shape[0], "width": pixels.shape[1]}
        cases += [(path, {**size, "preset": preset}) for preset in ("fast", "balanced")]
    answers = in_node("whole.mjs", tmp_path, [case for _, case in cases])
    localizers = {preset: Localizer(model, preset, threads=1) for preset in ("fast", "balanced")}
    for got, (path, case) in zip(answers, cases, strict=True):
        for prediction, expected in zip(got, localizers[case["preset"]].locate(path, top=3).predictions, strict=True):
            assert prediction["label"] == expected.label
            assert prediction["probability"] == pytest.approx(expected.probability, abs=1e-4)
            assert len(prediction["boxes"]) == len(expected.boxes)
            for box, other in zip(prediction["boxes"], expected.boxes, strict=True):
                assert box["box"] == pytest.approx(other.xyxy, abs=1)


def test_classes_are_found_by_what_one_types(modules: Path) -> None:
    labels = ["dining table", "tabby", "cat", "table lamp", "constable"]
    (found,) = in_javascript(modules, ("matching", {"labels": labels, "text": " TAB"}))
    assert found == ["tabby", "table lamp", "dining table", "constable"]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "node_modules/onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (package / "dist" / name).write_text("")
    (package / "package.json").write_text('{"version": "1.30.0"}')
    inside = tmp_path / "some/where"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    done = CliRunner().invoke(app, ["page", EIGHT_BIT_MODEL, "--out", "site"])
    assert done.exit_code == 0, done.output
    assert {"index.html", "model.onnx", "model.json", "engine.js", "runtime"} <= {
        p.name for p in Path("site").iterdir()
    }
    assert not Path("site/api.html").exists()
    assert "never leave" in Path("site/engine.js").read_text()
    again = CliRunner().invoke(app, ["page", DEFAULT_MODEL, "--out", "site"])
    assert again.exit_code == 2
    assert "--force" in again.output
    assert CliRunner().invoke(app, ["page", DEFAULT_MODEL, "--out", "site", "--force"]).exit_code == 0


def test_what_stops_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coffee: Path) -> None:
    monkeypatch.chdir(tmp_path)

    def why(*arguments: object) -> str:
        error = CliRunner().invoke(app, ["page", *map(str, arguments), "--out", "site"]).exception
        assert isinstance(error, BoxlessError), error
        return str(error)

    assert "npm install onnxruntime-web@1.30.0" in why(DEFAULT_MODEL)
    assert "not onnxruntime-web" in why(DEFAULT_MODEL, "--runtime", tmp_path)
    package = tmp_path / "node_modules/onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (package / "dist" / name).write_text("")
    (package / "package.json").write_text('{"version": "1.2.3"}')
    assert "is version 1.2.3 (the page is tested with 1.30.0)" in why(DEFAULT_MODEL)
    (package / "package.json").write_text('{"version": "1.30.0"}')
    assert "not a model" in why(coffee)
    Path("notes.jpg").write_text("no picture")
    assert "notes.jpg: not an image" in why(DEFAULT_MODEL, "--example", "notes.jpg")
    assert "nothing.jpg: no such file" in why(DEFAULT_MODEL, "--example", "nothing.jpg")
    assert "two examples are called coffee.jpg" in why(DEFAULT_MODEL, "--example", coffee, "--example", coffee)
    assert not (tmp_path / "site").exists()
