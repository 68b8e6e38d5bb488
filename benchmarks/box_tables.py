"""Tables of average precision: of detectors, and of its intervals. See benchmarks.readme."""

from __future__ import annotations

from benchmarks.facts import read


def detector_table() -> str:
    """Detectors taught by labels, beside what taught them and beside those taught by true boxes."""
    data = read("detector")["data"]
    names = {
        "class maps, fast": "class maps of `boxless fit`, fast",
        "class maps, balanced": "class maps of `boxless fit`, balanced",
        "class maps, best": "class maps of `boxless fit`, best",
        "class maps, 5 boxed images a class": "class maps of `boxless fit --boxes`, 5 images of each class",
        "taught by labels": "**detector, from labels**",
        "taught by labels-5": "detector, from labels and the boxes of 5 images of each class",
        "taught by boxes": "the same detector, from true boxes",
        "taught by labels-darknet19": "from labels, Darknet-19 with a quarter of its filters, from random weights",
    }
    lines = []
    for name, found in data.items():
        lines += [
            f"`{name}`, {found['pictures']} held-out images with {found['boxes']} boxes:",
            "",
            "| | AP at IoU 0.3 | AP50 | AP at 0.5 to 0.95 | AP50 after each round | classification AP |",
            "|---|---|---|---|---|---|",
        ]
        for key, words in names.items():
            if key in found:
                row = found[key]
                words += f" (of {row['measured']}, older code)" if "measured" in row else ""
                rounds = ", ".join(f"{each:.1f}" for each in row.get("by round", []))
                named = row.get("names", found.get("class maps name", ""))
                lines.append(
                    f"| {words} | {row['AP30']:.1f} | {row['AP50']:.1f} | {row['AP']:.1f} | {rounds} | {named} |"
                )
        lines.append("")
        runs = {
            "taught by labels": "labels",
            "taught by boxes": "boxes",
            "taught by labels-darknet19": "labels, Darknet-19",
        }
        for key, words in runs.items():
            if key in found:
                run, taken = found[key]["training"], found[key].get("taken")
                epochs = " + ".join(str(each["epochs"]) for each in run["rounds"])
                ratio = found[key]["over the bare forward pass"]
                lines.append(
                    f"- from {words}: {epochs} epochs, {run['facts']['trained']}; one image takes {ratio:.2f} times "
                    "the forward pass of backbone and head alone"
                )
                right = found[key].get("boxes taught that are right", []) if key == "taught by labels" else []
                if right:
                    lines[-1] += "; correct pseudo-labels (IoU 0.5) by round: " + ", ".join(
                        f"{each['right']} of {each['boxes']}" for each in right
                    )
                if taken:
                    cores = run["facts"]["ran on"].split()[1]
                    lines[-1] += (
                        f"; the whole command: {taken['minutes']:.0f} minutes on {cores} of two cores at a load of "
                        f"{taken['load']:.1f}, {taken['processor minutes']:.0f} of CPU time"
                    )
        lines.append("")
    return "\n".join(lines)


def intervals_table() -> str:
    """How often intervals of average precision hold the truth."""
    results = read("ap_intervals")
    lines = [
        "| right boxes among the highest scores | images | AP of the population | mean AP of samples | percentiles | "
        "moved by the mean bias of the draws |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {100 * row['quality']:.0f} % | {row['pictures']} | {row['truth']:.1f} | {row['mean_of_samples']:.1f} | "
        f"{row['percentiles_hold_percent']:.1f} | {row['moved_hold_percent']:.1f} |"
        for row in results["figures"]
    ]
    return "\n".join(lines) + "\n"


def doubt_table() -> str:
    """How well detectors and their teachers classify, beside how well they localize."""
    lines = [
        "| images | classification: model with class maps | detector from labels | AP50: class maps, balanced | "
        "AP50: detector |",
        "|---|---|---|---|---|",
    ]
    for name, row in read("detector")["data"].items():
        taught = row["taught by labels"]
        lines.append(
            f"| `{name}` | {row['class maps name']:.1f} % | {taught['names']:.1f} % | "
            f"{row['class maps, balanced']['AP50']:.1f} | {taught['AP50']:.1f} |"
        )
    return "\n".join(lines) + "\n"
