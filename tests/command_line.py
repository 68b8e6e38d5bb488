"""Running the command line as users do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings

import pytest

from boxless.cli import main, verbosity


def boxless(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Runs `boxless` with arguments, streams and an environment of its own.

    In this process: to start one takes longer than most commands. What would be a traceback is raised.
    """
    command = ["boxless", *map(str, arguments)]
    streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for name in ("stdout", "stderr")}
    before, code = dict(os.environ), 0
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", command)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        try:
            main()
        except SystemExit as stop:
            assert stop.code is None or isinstance(stop.code, int), stop.code
            code = stop.code or 0
        finally:
            os.environ.clear()
            os.environ.update(before)
            verbosity._state.update(quiet=False, verbose=False)
    written = [stream.buffer.getvalue().decode() for stream in streams.values()]
    assert "Traceback" not in written[1], written[1]
    return subprocess.CompletedProcess(command, code, *written)
