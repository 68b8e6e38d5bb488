"""What the option --device does, of all commands that run models."""

from __future__ import annotations

import os


def use_device(device: str | None) -> None:
    """Makes a device that of this command, worker processes included; ModelFileError if it is not there."""
    if device is None:
        return
    from boxless.models.devices import VARIABLE, providers

    providers(device)
    os.environ[VARIABLE] = device
