from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from tests.command_line import boxless

from boxless.annotation.output import NOTE
from boxless.cli.annotate import FormatName
from boxless.datasets.formats import WRITTEN
from boxless.models.zoo import quick_model

FAST = ("--preset", "fast")


@pytest.fixture
def labelled(images: Path, tmp_path: Path) -> Path:
    """A folder a class, with an image of nothing, two images of one name, and a name full of trouble."""
    root = tmp_path / "my images"
    for name, place in (("coffee", "espresso/1.jpg"), ("coffee", 'cup/a, "b" ü\n.jpg'), ("chelsea", "tabby/1.jpg")):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(images / f"{name}.jpg", root / place)
    (root / "background").mkdir()
    Image.new("RGB", (80, 60), (128, 128, 128)).save(root / "background/grey.png")
    return root


def coco_of(folder: Path) -> dict[str, Any]:
    """All splits as one."""
    whole: dict[str, Any] = {"images": [], "annotations": []}
    for file in sorted((folder / "annotations").glob("instances_*.json")):
        data = json.loads(file.read_text(encoding="utf-8"))
        whole["info"], whole["categories"] = data["info"], data["categories"]
        for each in data["images"]:
            each["split"] = file.stem.removeprefix("instances_")
        for key, known in (("images", "id"), ("annotations", "image_id")):
            whole[key] += [{**each, known: f"{file.stem} {each[known]}"} for each in data[key]]
    return whole


def test_known_labels_and_what_evaluate_says(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = boxless("annotate", labelled, "--labels-from", "folder", "--out", out, *FAST)
    assert done.returncode == 0, done.stderr
    counts, place = done.stdout.splitlines()
    assert counts.startswith("4 images, ") and counts.endswith("1 images without any")
    assert place.startswith("written: ") and Path(place.removeprefix("written: ")).exists()
    data = coco_of(out)
    assert len(data["categories"]) == 1000, "numbers follow the model"
    names = {each["id"]: each["name"] for each in data["categories"]}
    found = {names[each["category_id"]] for each in data["annotations"]}
    assert found <= {"espresso", "cup", "tabby"} and len(found) == 3
    assert len(data["images"]) == 4 and len({each["image_id"] for each in data["annotations"]}) == 3
    assert data["info"]["model"] == quick_model() and data["info"]["preset"] == "fast"
    for image in data["images"]:
        with Image.open(out / "images" / image["split"] / image["file_name"]) as placed:
            assert placed.size == (image["width"], image["height"])
    assert not list(tmp_path.glob(".*"))
    measured = boxless("evaluate", out, *FAST, "--ap", "--json")
    figures = json.loads(measured.stdout)["modes"]["known"]["models"][f"{quick_model()}, fast"]
    assert figures["ap_50"]["value"] == pytest.approx(100)


def test_what_the_model_says_with_levels_and_masks(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = boxless("annotate", images, "--out", out, "--masks", "--save-images", "none", "--json", *FAST)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["images"] == 3 and summary["boxes"] >= 3 and not (out / "images").exists()
    data = coco_of(out)
    assert len(data["categories"]) == 1000
    from boxless.maps.run_lengths import mask_of, unpacked

    for each in data["annotations"]:
        mask = mask_of(unpacked(each["segmentation"]["counts"]), *each["segmentation"]["size"])
        x, y, w, h = (round(edge) for edge in each["bbox"])
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert abs(rows[0] - y) <= 3 and abs(rows[-1] + 1 - y - h) <= 3
        assert abs(columns[0] - x) <= 3 and abs(columns[-1] + 1 - x - w) <= 3
        assert each["area"] == mask.sum() > 0.2 * w * h
    for level in (("--min-probability", 1), ("--min-activation", 1000)):
        done = boxless("annotate", images, "--out", tmp_path / level[0], *level, *FAST)
        assert done.returncode == 0 and "0 boxes, 3 images without any" in done.stdout


@pytest.mark.parametrize("format_", list(WRITTEN))
def test_every_format_without_any_predictions(format_: str, labelled: Path, tmp_path: Path) -> None:
    source, out = labelled / "background", tmp_path / "out"
    done = boxless(
        "annotate", source, "--labels-from", "folder", "--format", format_, "--out", out, "--save-images", "copy", *FAST
    )
    assert done.returncode == 0, done.stderr
    assert (out / WRITTEN[format_].main).exists() and (out / NOTE).is_file()
    (copied,) = out.rglob("grey.png")
    assert copied.read_bytes() == (source / "grey.png").read_bytes() and not copied.is_symlink()


@pytest.mark.parametrize("format_", ["yolo", "voc", "labelme"])
def test_a_listed_image_elsewhere_gets_no_file_beside_it(format_: str, images: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "lists").mkdir()
    for name in ("a.jpg", "a.png", "b.jpg"):
        shutil.copyfile(images / "coffee.jpg", elsewhere / name)
    for suffix in (".txt", ".xml", ".json"):
        (elsewhere / f"a{suffix}").write_text("precious")
    table, out = tmp_path / "lists/list.csv", tmp_path / "out"
    table.write_text(f"path\n{elsewhere}/a.jpg\n{elsewhere}/a.png\n../elsewhere/b.jpg\n", encoding="utf-8")
    done = boxless("annotate", table, "--format", format_, "--save-images", "none", "--out", out, *FAST)
    assert done.returncode == 0, done.stderr
    assert {path.read_text() for path in elsewhere.glob("a.[txj][!p]*")} == {"precious"}
    assert len(list(elsewhere.iterdir())) == 6
    written = [
        path for path in out.rglob("*") if path.suffix in (".txt", ".xml", ".json") and path.parent.name != "Main"
    ]
    assert len([path for path in written if path.name not in (NOTE, "labelmap.txt")]) == 3


def test_format_names_are_those_of_the_table() -> None:
    assert list(get_args(FormatName)) == list(WRITTEN)


def test_refusals_write_nothing(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def refused(*options: object) -> str:
        done = boxless("annotate", labelled, "--out", out, *FAST, *options)
        assert done.returncode == 2 and not done.stdout
        return done.stderr

    (labelled / "tabby").rename(labelled / "yeti")
    assert "1 labels that the model lacks: yeti (1 images)" in refused("--labels-from", "folder")
    assert "no place for masks" in refused("--masks", "--format", "yolo")
    assert "no labels at" in refused("--labels-from", "nowhere.csv")
    assert "Invalid value" in refused("--format", "bmp")
    assert "no preset" in refused("--preset", "quick")
    assert not out.exists() and not list(tmp_path.glob(".out*"))
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    assert "did not write" in refused("--force")
    assert [each.name for each in out.iterdir()] == ["mine.txt"]


def test_what_it_wrote_is_replaced_with_force_only(images: Path, labelled: Path, tmp_path: Path) -> None:
    out = labelled / "out"  # inside the images: what is linked there is no input
    assert boxless("annotate", labelled, "--out", out, *FAST).returncode == 0
    before = coco_of(out)
    assert "--force" in boxless("annotate", labelled, "--out", out, *FAST).stderr
    assert coco_of(out) == before
    done = boxless("annotate", labelled, "--out", out, "--force", "--format", "csv", *FAST)
    assert done.returncode == 0 and done.stdout.startswith("4 images,")
    assert (out / "boxes.csv").is_file() and not (out / "annotations").exists()


def test_a_broken_image_is_named_and_the_rest_goes_on(labelled: Path, tmp_path: Path) -> None:
    (labelled / "cup/broken.jpg").write_bytes(b"nothing")
    done = boxless("annotate", labelled, "--out", tmp_path / "out", "--json", *FAST)
    assert done.returncode == 1 and "broken.jpg" in done.stderr
    assert json.loads(done.stdout)["failed"] == [str(labelled / "cup/broken.jpg")]
    assert len(coco_of(tmp_path / "out")["images"]) == 4
    none = boxless("annotate", tmp_path / "my images/cup", "--out", tmp_path / "other", *FAST)
    assert none.returncode == 1
    for path in (labelled / "cup").iterdir():
        path.write_bytes(b"nothing")
    none = boxless("annotate", labelled / "cup", "--out", tmp_path / "third", *FAST)
    assert none.returncode == 2 and "not one of 2 images can be read" in none.stderr
    assert not (tmp_path / "third").exists()
    for path in (labelled / "cup").iterdir():
        shutil.copyfile(labelled / "espresso/1.jpg", path)
    assert boxless("annotate", labelled / "cup", "--out", tmp_path / "third", *FAST).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a process that cannot be killed as this does it")
def test_a_killed_run_goes_on_where_it_was(images: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "many", tmp_path / "out"
    source.mkdir()
    for number in range(120):
        (source / f"{number:03}.jpg").symlink_to(images / ("coffee.jpg", "chelsea.jpg", "rocket.jpg")[number % 3])
    arguments = ["annotate", str(source), "--out", str(out), "--masks", "--json", *FAST]
    child = subprocess.Popen(
        [sys.executable, "-c", "from boxless.cli import main; main()", *arguments], stdout=subprocess.DEVNULL
    )
    first = tmp_path / ".out.part/.found/_part-00000.json"
    try:
        while child.poll() is None and not first.is_file():
            time.sleep(0.02)
        assert child.returncode is None, "it ended before it could be killed"
        os.kill(child.pid, signal.SIGSTOP)
        second = boxless(*arguments)
        assert second.returncode == 2 and "another run is at work there" in second.stderr
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert not out.exists()
    other = boxless(*arguments, "--preset", "balanced")
    assert (
        other.returncode == 2
        and "preset fast then, balanced now" in other.stderr
        and "start over with --force" in other.stderr
    )
    done = boxless(*arguments)
    assert done.returncode == 0, done.stderr
    assert 50 <= json.loads(done.stdout)["resumed"] < 120
    whole = tmp_path / "whole"
    assert boxless(*arguments[:2], "--out", whole, *arguments[4:]).returncode == 0
    assert coco_of(out) == coco_of(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "out", "whole"]
