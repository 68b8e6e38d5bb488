"""CIFAR-10 from whatever form of it is at hand, decoded once and kept."""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import DatasetError, MissingExtraError, first_line
from boxless.system.files import cache_folder, write_whole

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""In the usual order."""

SIDE = 32
"""Of a picture, in pixels."""

_ARCHIVES = ("cifar-10-python.tar.gz", "cifar10-jpeg.tar.xz")
_SPLITS = ("train", "test")
_PICKLED = {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
            ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Images:
    """Pictures and their classes.

    Attributes:
        pixels: RGB uint8 (n, 32, 32, 3).
        labels: int64 (n,), indices of `CLASSES`.
    """

    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def some(self, count: int, seed: int = 0) -> Images:
        """`count` pictures, as many of each class as of any other, drawn once for each seed; all where there are
        no more.
        """
        if count >= len(self):
            return self
        order = np.random.default_rng(seed).permutation(len(self))
        ranks = np.empty(len(self), np.int64)
        for k in range(len(CLASSES)):
            of_class = order[self.labels[order] == k]
            ranks[of_class] = np.arange(len(of_class)) * len(CLASSES) + k
        chosen = np.sort(np.argsort(ranks)[:count])
        return Images(self.pixels[chosen], self.labels[chosen])


@dataclass(frozen=True, eq=False)
class Cifar10:
    """The data set.

    Attributes:
        train, test: its two halves, 50,000 and 10,000 pictures in the original.
        source: where it came from, in words.
    """

    train: Images
    test: Images
    source: str


def load_cifar10(data: Path | None = None) -> Cifar10:
    """CIFAR-10 from an archive; decoded at the first time, then from the cache.

    Args:
        data: the usual archive cifar-10-python.tar.gz, or one of JPEG files in folders train/CLASS and test/CLASS; or
            a folder that holds either by its usual name. Where None, the folder $BOXLESS_DATA; and where that has
            none, Keras fetches it, if a network allows.

    Raises:
        DatasetError: if there is none, or it is no CIFAR-10.
        MissingExtraError: if Keras would have to fetch it, and is not installed.
    """
    archive = _archive(data)
    if archive is None:
        return _from_keras()
    content = hashlib.blake2b(archive.read_bytes(), digest_size=8).hexdigest()
    kept = cache_folder("cifar10") / f"{content}.npz"
    if not kept.is_file():
        arrays = _decode(archive)
        write_whole(kept, lambda beside: np.savez(beside, **arrays))  # type: ignore[arg-type]
    with np.load(kept) as arrays:
        train, test = (Images(arrays[f"{split}_pixels"], arrays[f"{split}_labels"]) for split in _SPLITS)
    lossy = " (as JPEG, so errors differ a little from the original's)" if "jpeg" in archive.name else ""
    return Cifar10(train, test, f"{archive.name}{lossy}")


def _archive(data: Path | None) -> Path | None:
    """The archive; None where nothing was named and nothing found."""
    folder = data or (Path(os.environ["BOXLESS_DATA"]) if "BOXLESS_DATA" in os.environ else None)
    if folder is None:
        return None
    if folder.is_file():
        return folder
    found = next((folder / name for name in _ARCHIVES if (folder / name).is_file()), None)
    if found is None and data is not None:
        raise DatasetError(f"{data}: no CIFAR-10 there (expected {' or '.join(_ARCHIVES)}, or the path of either)")
    return found


def _from_keras() -> Cifar10:
    try:
        from keras.datasets import cifar10
    except ImportError:
        raise MissingExtraError(_help("Keras, which could fetch it, is not installed")) from None
    try:
        (train, train_labels), (test, test_labels) = cifar10.load_data()
    # Keras lets through whatever the network, the disk or the archive raise.
    except Exception as error:
        raise DatasetError(_help(f"Keras could not fetch it ({first_line(error)})")) from None
    return Cifar10(
        Images(train, train_labels.ravel().astype(np.int64)),
        Images(test, test_labels.ravel().astype(np.int64)),
        "keras.datasets.cifar10",
    )


def _help(reason: str) -> str:
    return (
        f"no CIFAR-10: $BOXLESS_DATA is not a folder that holds {' or '.join(_ARCHIVES)}, and {reason}. Get "
        "cifar-10-python.tar.gz from www.cs.toronto.edu/~kriz/cifar.html and name it with --data"
    )


def _decode(archive: Path) -> dict[str, NDArray[Any]]:
    pixels: dict[str, list[Pixels]] = {split: [] for split in _SPLITS}
    labels: dict[str, list[int]] = {split: [] for split in _SPLITS}
    try:
        with tarfile.open(archive) as files:
            for split, label, image in _members(files):
                pixels[split].append(image)
                labels[split].append(label)
    except (tarfile.TarError, OSError, EOFError, pickle.UnpicklingError, KeyError, ValueError) as error:
        raise DatasetError(f"{archive}: no CIFAR-10 ({error}); expected {' or '.join(_ARCHIVES)}") from None
    if not all(labels[split] for split in _SPLITS):
        raise DatasetError(
            f"{archive}: {len(labels['train'])} pictures to train with and {len(labels['test'])} to test with "
            f"(expected folders train/CLASS and test/CLASS of JPEGs, or pickled batches, as in {_ARCHIVES[0]})"
        )
    return {
        name: array
        for split in _SPLITS
        for name, array in (
            (f"{split}_pixels", np.stack(pixels[split])),
            (f"{split}_labels", np.array(labels[split], np.int64)),
        )
    }


def _members(files: tarfile.TarFile) -> Iterator[tuple[str, int, Pixels]]:
    """The split, class and pixels of every picture, in the archive's order."""
    for member in files:
        content = files.extractfile(member)
        if content is None:
            continue
        path = Path(member.name)
        if path.suffix.lower() in (".jpg", ".jpeg", ".png") and path.parts[-3:-2] and path.parts[-3] in _SPLITS:
            yield path.parts[-3], CLASSES.index(path.parts[-2]), _image(content.read(), member.name)
        elif path.name.startswith(("data_batch_", "test_batch")):
            batch = _Unpickler(content, encoding="latin1").load()
            split = "test" if path.name == "test_batch" else "train"
            planes = np.asarray(batch["data"], np.uint8).reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
            yield from ((split, int(label), plane) for label, plane in zip(batch["labels"], planes, strict=True))


def _image(content: bytes, name: str) -> Pixels:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if found is None or found.shape != (SIDE, SIDE, 3):
        raise ValueError(f"{name} is {'no picture' if found is None else f'{found.shape}'}, not 32 x 32 in colour")
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


class _Unpickler(pickle.Unpickler):
    """Makes arrays and nothing else: a pickle from the network could run anything."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")
        return super().find_class(module, name)
