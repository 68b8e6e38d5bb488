"""Running the command line as users do."""

from __future__ import annotations

import subprocess
import sys


def boxless(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `boxless` with arguments, in a process of its own. A traceback is a failure, whatever the test is."""
    command = [sys.executable, "-c", "from boxless.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())
