from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from papers.cifar10 import CLASSES, Images, load_cifar10

from boxless.errors import DatasetError


def pickled(folder: Path, batches: dict[str, object]) -> Path:
    """An archive as the usual one: pickled batches in a folder."""
    file = folder / "cifar-10-python.tar.gz"
    with tarfile.open(file, "w:gz") as out:
        for name, batch in batches.items():
            content = pickle.dumps(batch, protocol=2)  # as the archive of its authors is
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return file


def test_jpegs_are_decoded_once(archive: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_cifar10(archive)
    assert (len(first.train), len(first.test)) == (80, 50)
    assert np.bincount(first.test.labels).tolist() == [5] * 10
    assert "JPEG" in first.source
    monkeypatch.setattr("papers.cifar10._decode", None)
    assert np.array_equal(load_cifar10(archive.parent).train.pixels, first.train.pixels)


def test_the_usual_archive(tmp_path: Path, cache: Path) -> None:
    # A batch is rows of 1,024 reds, then greens, then blues.
    data = np.zeros((10, 3072), np.uint8)
    data[:, :1024] = 200
    batch = {"data": data, "labels": list(range(10))}
    found = load_cifar10(pickled(tmp_path, {"data_batch_1": batch, "test_batch": batch}))
    assert found.train.pixels.shape == (10, 32, 32, 3)
    assert found.train.pixels[3, 5, 7].tolist() == [200, 0, 0]
    assert found.test.labels.tolist() == list(range(10))


def test_a_pickle_may_not_run_anything(tmp_path: Path, cache: Path) -> None:
    evil = pickled(tmp_path, {"data_batch_1": {"data": Path("/"), "labels": []}})
    with pytest.raises(DatasetError, match=r"no array"):
        load_cifar10(evil)


def test_classes_are_drawn_evenly() -> None:
    labels = np.repeat(np.arange(10), 30)
    images = Images(np.arange(300, dtype=np.uint16).astype(np.uint8)[:, None, None, None], labels)
    some = images.some(100)
    assert np.bincount(some.labels).tolist() == [10] * len(CLASSES)
    assert np.array_equal(some.pixels, images.some(100).pixels)
    assert not np.array_equal(some.pixels, images.some(100, seed=1).pixels)
    assert len(images.some(1000)) == 300


def test_what_is_missing_is_named(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r"no CIFAR-10 there \(expected cifar-10-python.tar.gz"):
        load_cifar10(tmp_path)
    empty = tmp_path / "cifar10-jpeg.tar.xz"
    with tarfile.open(empty, "w:xz"):
        pass
    with pytest.raises(DatasetError, match="0 pictures to train with"):
        load_cifar10(empty)
    empty.write_bytes(b"no archive")
    with pytest.raises(DatasetError, match="no CIFAR-10"):
        load_cifar10(empty)

    keras = pytest.importorskip("keras.datasets.cifar10")

    def no_network() -> None:
        raise OSError("no network here")

    monkeypatch.setattr(keras, "load_data", no_network)
    monkeypatch.delenv("BOXLESS_DATA", raising=False)
    with pytest.raises(DatasetError, match=r"no network here.*--data"):
        load_cifar10()
