"""boxless models: what there is to locate with."""

from __future__ import annotations

import typer


def models() -> None:
    """List the models that come with boxless: size, accuracy, licence."""
    from boxless import zoo
    from boxless.model_file import ModelFile

    for name, path in zoo.models().items():
        card = ModelFile(path).card
        presets = (f"{preset} {card.figures[f'{preset}_max_box_acc_v2']:.1f} %" for preset in card.presets)
        typer.echo(f"{name}: {len(card.labels)} classes, {path.stat().st_size / 1e6:.1f} MB, {card.licence}")
        typer.echo(f"  top-1 {card.figures['top1']:.1f} %; MaxBoxAccV2 {', '.join(presets)}; on {card.figures_on}")
        typer.echo(f"  {card.source}")
