"""A detector where class maps are needed: refused in words, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.command_line import boxless
from tests.small_detector import write_detector


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detector(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.mark.parametrize(
    "arguments",
    [
        ("locate", "IMAGES", "--model", "MODEL", "--save-maps", "OUT"),
        ("batch", "IMAGES", "--model", "MODEL", "--out", "OUT", "--keep-maps", "uint8"),
        ("annotate", "IMAGES", "--model", "MODEL", "--out", "OUT", "--masks"),
        ("quantize", "MODEL", "--calibrate", "IMAGES", "--out", "OUT"),
        ("inspect", "MODEL"),
    ],
)
def test_what_needs_class_maps_says_so(
    detector: Path, images: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    places = {"IMAGES": str(images), "MODEL": str(detector), "OUT": str(tmp_path / "out.onnx")}
    done = boxless(*(places.get(each, each) for each in arguments))
    assert done.returncode == 2
    assert "tiny is a detector: it has boxes and no class maps" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_page_in_the_browser_is_refused(detector: Path, tmp_path: Path) -> None:
    runtime, out = tmp_path / "runtime", tmp_path / "page"
    runtime.mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (runtime / name).touch()
    done = boxless("page", detector, "--out", out, "--runtime", runtime)
    assert done.returncode == 2
    assert "boxless serve runs it" in done.stderr
    assert not out.exists()
