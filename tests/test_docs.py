"""What the documentation shows is run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import typer
from benchmarks.readme import FIGURES, with_tables
from benchmarks.readme import PAGES as TABLES
from papers.catalogue import write_pages

from boxless import MissingExtraError
from boxless.cli import app

ROOT = Path(__file__).parent.parent

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> str:
    """A page's code blocks of a language, one after the other."""
    return "\n".join(
        re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras on TensorFlow and NumPy 2
@pytest.mark.parametrize("page", WITH_CODE, ids=[str(page.relative_to(ROOT)) for page in WITH_CODE])
def test_code_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "src").symlink_to(ROOT / "src")
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(blocks(page, "python"), str(page), "exec"), {})
    except MissingExtraError as error:  # such as on a Python that TensorFlow has no wheels for
        pytest.skip(str(error))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


COMMANDS = {
    name: {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"-h", "--help"}
    for name, command in vars(typer.main.get_command(app))["commands"].items()
}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_commands_and_their_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = "\n".join(blocks(page, language) for language in ("console", "sh"))
    called = re.findall(r"^(?:\$ )?(?:\S*/)?boxless ([a-z]\S*)(.*?)(?:  |&&|[|#]|$)", shown, re.MULTILINE)
    for name, rest in [*called, *re.findall(r"`boxless ([a-z][a-z-]*)([^`|]*)`", text)]:
        if name == "serves":  # what the service says of itself
            continue
        assert name in COMMANDS, f"{page.name} calls boxless {name}"
        options = set(re.findall(r"(?<!\S)(--?[a-z][\w-]*)", rest)) - {"-v", "--verbose", "--quiet"}
        assert options <= COMMANDS[name], f"{page.name}: boxless {name}{rest}"
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for target in re.findall(r"`make ([\w-]+)`", text) + re.findall(r"^\$ make ([\w-]+)", shown, re.MULTILINE):
        assert target in targets, f"{page.name} calls make {target}"
    for path in re.findall(r"^\$? ?boxless .*?(?<!\S)(examples/\S+)", shown, re.MULTILINE):
        assert (ROOT / path).exists(), f"{page.name}: {path} is not there"
    for module in re.findall(r"python -m ((?:benchmarks|tools)[\w.]*\w)", text):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists(), f"{page.name} runs {module}"


@pytest.mark.parametrize("page", TABLES, ids=[str(page.relative_to(ROOT)) for page in TABLES])
def test_figures_are_those_of_the_results(page: Path) -> None:
    assert with_tables(page) == page.read_text(encoding="utf-8"), "run make figures"


@pytest.mark.parametrize("file", FIGURES, ids=[file.name for file in FIGURES])
def test_plots_are_those_of_the_results(file: Path) -> None:
    assert FIGURES[file]() == file.read_text(encoding="utf-8"), "run make figures"


def test_the_pages_of_reproductions_are_those_of_the_results(tmp_path: Path) -> None:
    stored = ROOT / "docs/reproduction"
    for result in stored.glob("*.json"):
        shutil.copy(result, tmp_path)
    write_pages(tmp_path)
    for ending in ("md", "svg"):
        written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob(f"*.{ending}")}
        assert written == {path.name: path.read_text(encoding="utf-8") for path in stored.glob(f"*.{ending}")}
