"""boxless models: what there is to locate with."""

from __future__ import annotations

from typing import Annotated

import typer

from boxless.cli.verbosity import say


def models(
    devices: Annotated[bool, typer.Option("--devices", help="List the hardware that models can run on here.")] = False,
) -> None:
    """List the models that come with boxless: size, accuracy, licence."""
    if devices:
        _list_devices()
        return
    from boxless.models import zoo
    from boxless.models.model_file import ModelFile
    from boxless.system.machine import has_vnni

    for name, path in zoo.models().items():
        card = ModelFile(path).card
        presets = (f"{preset} {card.figures[f'{preset}_max_box_acc_v2']:.1f} %" for preset in card.presets)
        say(f"{name}: {len(card.labels)} classes, {path.stat().st_size / 1e6:.1f} MB, {card.licence}")
        say(f"  top-1 {card.figures['top1']:.1f} %; MaxBoxAccV2 {', '.join(presets)}; on {card.figures_on}")
        say(f"  {card.source}")
    able = "multiplies eight-bit numbers in one step (VNNI)" if has_vnni() else "is not known to have VNNI"
    say(f"without --model, boxless runs {zoo.quick_model()} here: this processor {able}")


def _list_devices() -> None:
    from boxless.models.devices import PROVIDERS, available
    from boxless.system.extras import install

    for device, there in available().items():
        provider = PROVIDERS[device]
        how = "installed" if there else f"not installed: {install(provider.package)}"
        say(f"{device:<10}{provider.hardware}; {how}")
