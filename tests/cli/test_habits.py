"""What people expect of any command: -h, completion, quiet and verbose, lines in logs, full names in pipes."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.command_line import boxless
from typer.testing import CliRunner

from boxless.cli import app
from boxless.cli.progress import Lines

COMMANDS = tuple(
    sorted(str(command.name or command.callback.__name__) for command in app.registered_commands if command.callback)
)


def help_of(*arguments: str, columns: int = 80) -> str:
    """What a command prints, which ends well; in this process."""
    done = CliRunner().invoke(app, [*arguments], prog_name="boxless", env={"COLUMNS": str(columns)})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_list_of_commands_is_not_cut_off(columns: int) -> None:
    shown = help_of("-h", columns=columns)
    assert "..." not in shown.partition("Commands:")[2]
    assert all(f"\n  {name} " in shown for name in COMMANDS)
    assert "--install-completion" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_options_say_what_they_take(name: str) -> None:
    shown = help_of(name, "-h")
    options = shown.partition("Options:")[2]
    assert not re.search("<[a-z]", options), "Typer's own names of types are for programmers"
    assert "--quiet" in options and "--verbose" in options
    assert max(map(len, shown.splitlines())) <= 80


def test_a_shell_gets_its_completion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # so that the shell can be named
    assert "COMPREPLY" in help_of("--show-completion", "bash")


def test_piped_rows_have_the_whole_name_each(coffee: Path, tmp_path: Path) -> None:
    path = tmp_path / ("a-long-name-" * 8 + ".jpg")
    path.write_bytes(coffee.read_bytes())
    done = boxless("locate", path, "--top", 2, "--preset", "fast")
    rows = done.stdout.splitlines()[1:]
    assert len(rows) == 2
    assert all(row.startswith(str(path)) for row in rows)


@pytest.mark.skipif(sys.platform != "linux", reason="where a file's name may be any bytes")
@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict"])
def test_names_that_cannot_be_shown_are_escaped(coffee: Path, tmp_path: Path, encoding: str) -> None:
    for name in (b"bad\xff.jpg", b"new\nline.jpg", "ñ猫.jpg".encode()):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(coffee.read_bytes())
    command = [sys.executable, "-m", "boxless", "locate", ".", "--preset", "fast"]
    surroundings = {**os.environ, "PYTHONIOENCODING": encoding}
    rows = subprocess.run(command, capture_output=True, cwd=tmp_path, env=surroundings)
    assert rows.returncode == 0, rows.stderr
    assert [row[:8] for row in rows.stdout.splitlines()[1:3]] == [b"bad\\udcf", b"new\\nlin"]
    data = subprocess.run([*command, "--json"], capture_output=True, cwd=tmp_path, env=surroundings)
    names = [os.fsencode(json.loads(line)["image"]) for line in data.stdout.splitlines()]
    assert names == [b"bad\xff.jpg", b"new\nline.jpg", "ñ猫.jpg".encode()]


def test_quiet_says_only_what_went_wrong(coffee: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    usual = boxless("locate", coffee, "nope.jpg", "--preset", "fast", "--sheet", sheet)
    quiet = boxless("locate", coffee, "nope.jpg", "--preset", "fast", "--sheet", sheet, "--force", "--quiet")
    assert f"contact sheet: {sheet}" in usual.stderr
    assert quiet.stderr == "nope.jpg: no such file\n"
    assert quiet.stdout == usual.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_quiet_and_verbose_are_opposites(name: str, tmp_path: Path) -> None:
    command = vars(typer.main.get_command(app))["commands"][name]
    needed = [
        word
        for each in command.params
        if each.required
        for word in ([] if each.param_type_name == "argument" else [each.opts[0]]) + [str(tmp_path)]
    ]
    done = CliRunner().invoke(app, [name, *needed, "-q", "-v"])
    assert done.exit_code == 2 and "opposites" in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_refused_by_its_name(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--no-such-option"])
    assert done.exit_code == 2 and "--no-such-option" in done.output


def test_verbose_says_what_is_used_and_where_it_fails(coffee: Path) -> None:
    done = boxless("locate", coffee, "--preset", "fast", "--json", "-v")
    assert json.loads(done.stdout)["error"] is None
    assert "ONNX Runtime" in done.stderr and "efficientnet-lite0" in done.stderr and "locate took" in done.stderr
    command = [sys.executable, "-m", "boxless", "locate", str(coffee), "--preset", "quick", "-v"]
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode == 2
    assert "Traceback" in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("boxless: no preset 'quick'")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_had_enough_is_no_failure(coffee: Path) -> None:
    command = [sys.executable, "-c", "from boxless.cli import main; main()", "locate", str(coffee), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(coffee: Path, tmp_path: Path) -> None:
    for name, said in (("sheet.xyz", "'.xyz'"), ("sheet", "no ending")):
        done = boxless("locate", coffee, "--sheet", tmp_path / name, "--save", tmp_path / "found")
        assert done.returncode == 2
        assert said in done.stderr and ".png" in done.stderr
        assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_log_gets_a_line_now_and_then() -> None:
    now = 0.0
    out = io.StringIO()
    lines = Lines(out, lambda: now)
    for done in range(1, 301):
        now = float(done)
        lines.on_progress("images", done, 3000)
    said = out.getvalue().splitlines()
    assert said[0] == "images: 10 of 3000, 1 a second, 50 min left"
    assert [line.split()[1] for line in said] == ["10", "70", "130", "190", "250"]
