"""Quoted figures say which code made them, and whether it has changed since."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import facts, figures_all, provenance
from benchmarks.frontier import DOCS, page
from benchmarks.readme import PAGES


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A benchmark program of three modules, and where its results are."""
    for name, text in {
        "speed": "from boxless import Localizer\nfrom benchmarks.meter import taken\n",
        "meter": "from boxless.maps.boxes import iou\n",
        "video": "",
    }.items():
        (tmp_path / "benchmarks").mkdir(exist_ok=True)
        (tmp_path / f"benchmarks/{name}.py").write_text(text)
    for name, text in {"maps/boxes": "def iou(): return 1\n", "localizer": "", "video": ""}.items():
        (tmp_path / "boxless/maps").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"boxless/{name}.py").write_text(text)
    packages = {"boxless": tmp_path / "boxless", "benchmarks": tmp_path / "benchmarks"}
    monkeypatch.setattr(provenance, "_PACKAGES", packages)
    for module in (provenance, facts, figures_all):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    for each in (provenance.code_of, provenance.modules_of, provenance._imports, provenance._bare):
        each.cache_clear()


def test_what_a_program_imports_is_its_code(made: Path) -> None:
    names = {"benchmarks.speed", "benchmarks.meter", "boxless.localizer", "boxless.maps.boxes"}
    assert provenance.modules_of("benchmarks.speed") == names


@pytest.mark.parametrize(
    ("file", "text", "stale"),
    [
        ("boxless/maps/boxes.py", "def iou(): return 2\n", True),
        ("boxless/maps/boxes.py", '"""IoU."""\n\n\ndef iou():  # of two\n    """It."""\n    return 1\n', False),
        ("boxless/video.py", "x = 1\n", False),
    ],
    ids=["code", "comments", "another module"],
)
def test_a_result_is_stale_when_code_it_depends_on_changes(made: Path, file: str, text: str, stale: bool) -> None:
    facts.write_results("speed", {"figures": {"ms": 12}})
    assert provenance.provenance(["speed"]).endswith("by the code as it is.*")
    (made / file).write_text(text)
    _forget()
    line = provenance.provenance(["speed"])
    assert ("changed since: speed.*" in line) is stale
    assert figures_all.state("speed")[1] is stale


@pytest.mark.parametrize(("folder", "stale"), [("web", True), ("web_alone", False)])
def test_files_of_the_command_that_a_program_runs_count(made: Path, folder: str, stale: bool) -> None:
    file = made / f"boxless/serve/{folder}/page.js"
    file.parent.mkdir(parents=True)
    file.write_text("1;")
    facts.write_results("serve", {"figures": {"ms": 12}})
    file.write_text("2;")
    _forget()
    assert figures_all.state("serve")[1] is stale


def test_parts_that_were_measured_before_stay_stale(made: Path) -> None:
    facts.write_results("speed", {"sets": {"cats": 1}}, part="cats", parts=["cats"])
    (made / "boxless/localizer.py").write_text("x = 1\n")
    _forget()
    facts.write_results("speed", {"sets": {"cats": 1, "dogs": 2}}, part="dogs", parts=["cats", "dogs"])
    assert provenance.changed("speed", facts.read("speed")) == ["cats"]
    assert "changed since: speed (cats).*" in provenance.provenance(["speed"])


def test_results_without_a_stamp_are_of_older_code(made: Path) -> None:
    (made / "speed.json").write_text(json.dumps({"machine": {"date": "2026-01-02"}, "figures": {}}))
    assert provenance.provenance(["speed"]).startswith("*Measured on 2026-01-02. The code behind")
    assert figures_all.state("speed") == ("2026-01-02 at unknown; stale", True)
    assert figures_all.state("video") == ("never measured", True)


def test_only_stale_results_are_measured_again(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(python: Path, commands: list[list[str]]) -> bool:
        ran.append(commands[0][1])
        return ran[-1] != "benchmarks.serve"

    monkeypatch.setattr(figures_all, "_run", run)
    facts.write_results("speed", {"figures": {}})
    monkeypatch.setattr("sys.argv", ["figures_all", "speed", "video", "serve", "--work", str(made / "work")])
    with pytest.raises(SystemExit, match="failed: serve"):
        figures_all.main()
    assert ran == ["benchmarks.video", "benchmarks.serve"]
    assert "fresh" in capsys.readouterr().out


def test_every_quoted_result_has_a_program() -> None:
    runs = figures_all.programs(Path("work"))
    for name, commands in runs.items():
        for command in commands:
            assert (provenance.ROOT / f"{command[1].replace('.', '/')}.py").is_file(), name
    for table in (each for made in PAGES.values() for each in (made if isinstance(made, tuple) else (made,))):
        facts._names_read.clear()
        table()
        assert set(facts._names_read) <= {*runs, "device_check"}  # which needs a GPU: make full-runs


def test_the_page_of_peers_is_that_of_the_results() -> None:
    results = json.loads((provenance.RESULTS / "peers.json").read_text(encoding="utf-8"))
    assert page(results) == (DOCS / "peers.md").read_text(encoding="utf-8"), "run make figures"


@pytest.mark.parametrize("path", sorted((provenance.ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_options_of_programs_are_those_they_read(path: Path) -> None:
    """A renamed option whose value is read by its old name fails after an hour."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = ast.unparse(function) if isinstance(function, ast.FunctionDef) else ""
        options = {each.replace("-", "_") for each in re.findall(r"add_argument\('-{0,2}([a-z-]+)'", text)}
        for holder in re.findall(r"(\w+) = \w+\.parse_args\(\)", text):
            assert set(re.findall(rf"\b{holder}\.(\w+)", text)) <= options
