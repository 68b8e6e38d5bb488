"""Features are made once, and survive a kill."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from boxless import BoxlessError
from boxless.errors import DiskSpaceError
from boxless.export.backbone import Backbone
from boxless.learning.head.features import pooled_features
from boxless.models.zoo import DEFAULT_MODEL


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return Backbone(DEFAULT_MODEL)


def test_known_images_are_not_looked_at_again(backbone: Backbone, images: Path, tmp_path: Path) -> None:
    paths = sorted(images.glob("*.jpg"))
    counts: list[int] = []
    first = pooled_features(backbone, paths, 64, done=counts.append)
    assert counts == [1, 2, 3]
    assert (first.cached, first.pooled.shape) == (0, (3, backbone.width))
    moved = shutil.copy(paths[1], tmp_path / "another name.jpg")
    again = pooled_features(backbone, [Path(moved), *paths], 64)
    assert again.cached == 4
    assert np.array_equal(again.pooled[[1, 2, 3]], first.pooled)
    assert np.array_equal(again.pooled[0], first.pooled[1])
    assert pooled_features(backbone, paths, 96).cached == 0


def test_a_run_that_was_killed_goes_on(backbone: Backbone, images: Path) -> None:
    paths = sorted(images.glob("*.jpg"))
    whole = pooled_features(backbone, paths, 64)
    content = whole.path.read_bytes()
    whole.path.write_bytes(content[: len(content) * 2 // 3 - 100])  # in the middle of the second record
    again = pooled_features(backbone, paths, 64)
    assert again.cached == 1
    assert again.pooled == pytest.approx(whole.pooled, abs=1e-6)
    assert pooled_features(backbone, paths, 64).cached == 3


def test_damaged_features_are_made_again(backbone: Backbone, images: Path) -> None:
    paths = sorted(images.glob("*.jpg"))
    whole = pooled_features(backbone, paths, 64)
    pooled, content = whole.pooled, bytearray(whole.path.read_bytes())
    content[len(content) // 2] ^= 64  # in the features of the second image
    whole.path.write_bytes(content)
    again = pooled_features(backbone, paths, 64)
    assert again.cached == 2
    assert again.pooled == pytest.approx(pooled, abs=1e-6)


def test_what_cannot_be_read_is_listed(backbone: Backbone, coffee: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no image", encoding="utf-8")
    found = pooled_features(
        backbone, [tmp_path / "gone.jpg", coffee, tmp_path / "empty.jpg", tmp_path / "text.jpg"], 64
    )
    assert set(found.unreadable) == {0, 2, 3}
    assert found.unreadable[0] == "no such file"
    assert "0 bytes" in found.unreadable[2]
    assert found.pooled[1].any()
    assert not found.pooled[[0, 2, 3]].any()


def test_a_full_disk(backbone: Backbone, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(DiskSpaceError, match="0 MB are free") as error:
        pooled_features(backbone, [coffee], 64)
    assert isinstance(error.value, BoxlessError)


def test_another_run_adds_to_the_same_file(backbone: Backbone, images: Path) -> None:
    paths = sorted(images.glob("*.jpg"))
    first = pooled_features(backbone, paths, 64)
    alone = first.pooled
    first.path.unlink()

    def other_run(count: int) -> None:
        if count == 1:
            pooled_features(backbone, paths[::-1], 64)

    both = pooled_features(backbone, paths, 64, done=other_run)
    assert np.array_equal(both.pooled, alone)
    assert np.array_equal(pooled_features(backbone, paths, 64).pooled, alone)


def test_what_another_run_adds_while_this_one_begins_is_kept(
    backbone: Backbone, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sorted(images.glob("*.jpg"))
    file = pooled_features(backbone, paths[:1], 64).path
    stat, added = Path.stat, list[Path]()

    def looked(path: Path, **options: bool) -> os.stat_result:
        found = stat(path, **options)
        if path == file and not added:
            added.append(path)
            pooled_features(backbone, paths[1:2], 64)
        return found

    monkeypatch.setattr(Path, "stat", looked)
    pooled_features(backbone, paths[2:], 64)
    assert added
    assert pooled_features(backbone, paths, 64).cached == 3


def test_some_of_them(backbone: Backbone, images: Path, tmp_path: Path) -> None:
    made = pooled_features(backbone, [tmp_path / "gone.jpg", *sorted(images.glob("*.jpg"))], 64)
    some = made.only(np.array([3, 1]))
    assert len(some) == 2
    assert np.array_equal(some.pooled, made.pooled[[3, 1]])
    assert np.array_equal(some[np.array([1])], made.pooled[[1]])


@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.xdist_group("ray")
@pytest.mark.skipif(sys.platform == "win32", reason="Ray")
def test_a_cluster_sees_the_same(cluster: None, backbone: Backbone, images: Path, cache: Path, tmp_path: Path) -> None:
    from boxless.learning.head.features_on_ray import on_ray

    paths = [tmp_path / "gone.jpg", *sorted(images.glob("*.jpg"))]
    here = pooled_features(backbone, paths, 64).pooled
    (cache / "features").rename(cache / "before")
    pooled_features(backbone, paths[:2], 64)
    made = pooled_features(backbone, paths, 64, engine=partial(on_ray, workers=1))
    assert (made.cached, made.unreadable) == (1, {0: "no such file"})
    assert np.array_equal(made.pooled, here)
