"""boxless talks to nobody, though ONNX Runtime would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.no_network import POSSIBLE

LONGEST = 20
"""Seconds after which ONNX Runtime that has not reported is taken for one that never does; 1.32 does after 10."""

PROGRAM = """
import sys
try:
    from tests.no_network import forbid_network
    forbid_network()
except OSError as error:
    sys.exit(f"no filter: {error}")
import boxless
boxless.Localizer(threads=1, preset="fast").locate(sys.argv[1])
print("located", flush=True)
sys.stdin.read()  # until the test has seen enough
"""


def started(program: str, image: Path, home: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    root = Path(__file__).parent.parent
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "PYTHONPATH": str(root), **settings}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", program, str(image)], env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


@pytest.mark.skipif(not POSSIBLE, reason="sockets are forbidden by a Linux system call filter, not known here")
def test_locating_talks_to_nobody(coffee: Path, tmp_path: Path) -> None:
    """Beside it runs one that may talk: when that has, enough was seen."""
    quiet = started(PROGRAM, coffee, tmp_path / "quiet")
    talking = started(PROGRAM, coffee, tmp_path / "talking", ORT_DISABLE_TELEMETRY="0")  # a user's choice stays
    try:
        for each in (quiet, talking):
            assert each.stdout is not None and each.stderr is not None
            if each.stdout.readline() != "located\n":
                if each is talking and each.wait(LONGEST) == -signal.SIGSYS:
                    continue  # on a slow machine it reports before it has located
                said = each.stderr.read()
                if "no filter" in said:
                    pytest.skip(f"this system lets no process forbid itself sockets ({said.strip()})")
                pytest.fail(said)
        try:
            ended = talking.wait(LONGEST)
        except subprocess.TimeoutExpired:
            pytest.skip("this ONNX Runtime talks to nobody by itself, so nothing can be seen to be prevented")
        assert ended == -signal.SIGSYS
        with pytest.raises(subprocess.TimeoutExpired):
            quiet.wait(3)
        quiet.communicate("")
        assert quiet.returncode == 0
    finally:
        for each in (quiet, talking):
            each.kill()
            each.communicate()


def test_the_filter_sees_a_look_up(coffee: Path, tmp_path: Path) -> None:
    if not POSSIBLE:
        pytest.skip("sockets are forbidden by a Linux system call filter, not known here")
    look_up = PROGRAM.partition("import boxless")[0] + "import socket; socket.getaddrinfo('example.org', 443)"
    child = started(look_up, coffee, tmp_path)
    said = child.communicate()[1]
    if "no filter" in said:
        pytest.skip(f"this system lets no process forbid itself sockets ({said.strip()})")
    assert child.returncode == -signal.SIGSYS, said


def test_locating_leaves_no_identifier_of_the_device(coffee: Path, tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    locate = "import sys, boxless; boxless.Localizer(threads=1, preset='fast').locate(sys.argv[1])"
    child = started(locate, coffee, tmp_path)
    child.communicate()
    assert child.returncode == 0
    assert list(tmp_path.rglob("*")) == [tmp_path / ".cache"]


def test_what_the_user_set_stays(coffee: Path, tmp_path: Path) -> None:
    show = "import os, boxless; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert started(show, coffee, tmp_path, ORT_DISABLE_TELEMETRY="0").communicate()[0] == "0\n"
    assert started(show, coffee, tmp_path).communicate()[0] == "1\n"
