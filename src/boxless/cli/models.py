"""boxless models: what there is to locate with."""

from __future__ import annotations


def models() -> None:
    """List the models that come with boxless: size, accuracy, licence."""
    from rich.console import Console
    from rich.table import Table

    from boxless import zoo
    from boxless.model_file import ModelFile

    table = Table(box=None, pad_edge=False)
    for heading in ("model", "classes", "MB", "top-1 %", "MaxBoxAccV2 % (presets)", "measured on", "licence"):
        table.add_column(heading, overflow="fold")
    for name, path in zoo.models().items():
        card = ModelFile(path).card
        accuracies = (f"{card.figures[f'{each}_max_box_acc_v2']:.1f} ({each})" for each in card.presets)
        table.add_row(
            name,
            str(len(card.labels)),
            f"{path.stat().st_size / 1e6:.1f}",
            f"{card.figures['top1']:.1f}",
            ", ".join(accuracies),
            card.figures_on,
            card.licence,
        )
    Console().print(table)
