from __future__ import annotations

from pathlib import Path

from tests.command_line import boxless


def test_a_device_by_name(coffee: Path) -> None:
    done = boxless("locate", coffee, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    refused = boxless("locate", coffee, "--device", "tpu")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "no device 'tpu' (expected cpu, cuda" in refused.stderr


def test_devices_are_listed() -> None:
    done = boxless("models", "--devices")
    assert "cpu       any processor; installed" in done.stdout
    assert "openvino" in done.stdout
