"""The demonstration on the site: there where onnxruntime-web is, and no link to it where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tools import demo_page

PAGE = demo_page.ROOT / "docs/page.md"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the right version, whose files are empty."""
    dist = tmp_path / "node_modules/onnxruntime-web/dist"
    dist.mkdir(parents=True)
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (dist / name).write_text("")
    (dist.parent / "package.json").write_text('{"version": "1.30.0"}')
    monkeypatch.setattr(demo_page, "PACKAGES", tmp_path)
    return dist


def linked(sphinx: object) -> str:
    source = [PAGE.read_text(encoding="utf-8")]
    demo_page.link(sphinx, "page", source)  # type: ignore[arg-type]
    return source[0]


def site(tmp_path: Path, name: str = "html") -> SimpleNamespace:
    noted = SimpleNamespace(note_dependency=lambda path: None)
    return SimpleNamespace(builder=SimpleNamespace(name=name), outdir=tmp_path / "made", env=noted)


def test_the_site_has_the_page_and_a_link_to_it(runtime: Path, tmp_path: Path) -> None:
    sphinx = site(tmp_path)
    assert 'href="demo/index.html"' in linked(sphinx)
    demo_page.write(sphinx, None)  # type: ignore[arg-type]
    demo = tmp_path / "made/demo"
    examples = json.loads((demo / "model.json").read_text(encoding="utf-8"))["examples"]
    assert examples == ["examples/chelsea.jpg", "examples/coffee.jpg", "examples/rocket.jpg"]
    assert all((demo / name).is_file() for name in (*examples, "index.html", "model.onnx"))
    html = (demo / "index.html").read_text(encoding="utf-8")
    assert '="/' not in html, "an address that is not relative leads elsewhere where the site is in a folder"


def test_without_the_runtime_the_site_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_page, "PACKAGES", tmp_path)
    sphinx = site(tmp_path)
    assert "demo/index.html" not in linked(sphinx)
    assert "make demo-page" in linked(sphinx)
    demo_page.write(sphinx, None)  # type: ignore[arg-type]
    assert not sphinx.outdir.exists()


def test_only_pages_for_browsers_have_it(runtime: Path, tmp_path: Path) -> None:
    for sphinx, error in ((site(tmp_path, "dummy"), None), (site(tmp_path), ValueError("a broken page"))):
        demo_page.write(sphinx, error)  # type: ignore[arg-type]
        assert not sphinx.outdir.exists()
