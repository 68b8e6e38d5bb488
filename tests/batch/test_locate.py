"""Locating as a function of tables: what goes in comes out, with a column `found`."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxless import Localizer
from boxless.batch import Locate
from boxless.models.zoo import DEFAULT_MODEL

EXAMPLES = Path(__file__).parent.parent.parent / "examples/batch"


@pytest.fixture(scope="module")
def locate() -> Locate:
    return Locate("image", model=DEFAULT_MODEL, preset="fast", top=2)


@pytest.fixture(scope="module")
def expected(images: Path) -> dict[str, Any]:
    """What is in the espresso, without its name."""
    found = Localizer(DEFAULT_MODEL, "fast", threads=1).locate(images / "coffee.jpg", top=2).to_dict()
    return {name: value for name, value in found.items() if name != "image"}


def without_name(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "image"}


@pytest.mark.parametrize("kind", ["path", "bytes", "hugging face", "image"])
def test_mappings(locate: Locate, coffee: Path, expected: dict[str, Any], kind: str) -> None:
    content = coffee.read_bytes()
    with Image.open(coffee) as image:
        image.load()
    cell = {"path": str(coffee), "bytes": content, "hugging face": {"bytes": content, "path": None}, "image": image}[
        kind
    ]
    batch = {"image": [cell, None], "label": [1, 2]}
    found = locate(batch)
    assert list(found) == ["image", "label", "found"] and found["label"] == [1, 2]
    assert without_name(found["found"][0]) == expected or kind == "image"  # which is not decoded at reduced scale
    assert "an empty cell" in found["found"][1]["error"]
    assert "found" not in batch


@pytest.mark.parametrize("kind", ["table", "record batch"])
def test_arrow(locate: Locate, coffee: Path, expected: dict[str, Any], kind: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra batch")
    table = pa.table({"image": [str(coffee), "missing.jpg"], "label": [1, 2]})
    batch = table if kind == "table" else table.to_batches()[0]
    (found,) = locate.over([batch])
    assert type(found) is type(batch)
    assert found.schema.field("found").type == locate.type
    first, second = found["found"].to_pylist()
    assert without_name(first) == expected
    assert second["error"] == "no such file"


def test_pandas(locate: Locate, coffee: Path, expected: dict[str, Any]) -> None:
    pandas = pytest.importorskip("pandas", reason="comes with the extra ray")
    frame = locate(pandas.DataFrame({"image": [str(coffee)]}))
    assert without_name(frame["found"][0]) == expected


def test_what_is_no_batch(locate: Locate) -> None:
    with pytest.raises(TypeError, match="a batch of type list"):
        locate(["cat.jpg"])
    with pytest.raises(KeyError):
        locate({"photo": []})


def test_it_goes_through_pickle(locate: Locate, coffee: Path, expected: dict[str, Any]) -> None:
    locate({"image": [str(coffee)]})
    again = pickle.loads(pickle.dumps(locate))
    assert without_name(again({"image": [str(coffee)]})["found"][0]) == expected
    assert pickle.dumps(again) == pickle.dumps(locate)


@pytest.mark.parametrize("name", ["datasets", "ray", "daft", "pyspark"])
def test_the_examples_run(images: Path, name: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    program = EXAMPLES / f"with_{name.removeprefix('py')}.py"
    done = subprocess.run([sys.executable, str(program), str(images)], capture_output=True, text=True)
    if name == "ray" and "timed out during startup" in done.stderr:
        pytest.skip("no Ray cluster can be started here: the machine is too busy")
    assert done.returncode == 0, done.stderr
    assert "coffee.jpg espresso" in done.stdout
