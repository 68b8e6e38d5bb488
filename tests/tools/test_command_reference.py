from __future__ import annotations

from tools.command_reference import reference

from boxless.cli import app


def test_every_command_has_a_section_with_its_options() -> None:
    page = reference()
    assert page.count("\n## ") + page.startswith("## ") == len(app.registered_commands)
    assert page.startswith("## `boxless locate`")
    for said in ("`--include-absent`", "Give undetected classes boxes too", "## `boxless train`"):
        assert said in page
    assert "--help" not in page and "install-completion" not in page
