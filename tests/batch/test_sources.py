"""Lists, tables, archives and addresses give the images that they name."""

from __future__ import annotations

import functools
import gzip
import http.server
import io
import os
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.batch.test_walk import names

from boxless.batch.sources import find
from boxless.batch.sources import images as items_of
from boxless.errors import DatasetError, ImageError
from boxless.imaging.read import as_bytes, read_image


def content(spec: object, column: str | None = None) -> list[bytes]:
    """The images of a source as bytes."""
    read = []
    for item in items_of([str(spec)], column):
        source = as_bytes(item.source)
        read.append(source if isinstance(source, bytes) else Path(str(source)).read_bytes())
    return read


def test_lists_are_relative_to_themselves(album: Path) -> None:
    (album / "list.txt").write_text("b/coffee.jpg\n\n  a.jpg\nmissing.jpg\n", encoding="utf-8-sig")
    assert names(album / "list.txt") == [str(album / name) for name in ("b/coffee.jpg", "a.jpg", "missing.jpg")]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_columns_of_tables(album: Path, between: str) -> None:
    lines = [["label", "Path", "other"], ["cat", "a.jpg", "b/9.jpg"], ["", "", ""], ["dog", "b/10.jpg", "a.jpg"]]
    (album / "table.csv").write_text("\n".join(between.join(line) for line in lines))
    assert names(album / "table.csv") == [str(album / "a.jpg"), str(album / "b/10.jpg")]
    assert names(album / "table.csv", column="other") == [str(album / "b/9.jpg"), str(album / "a.jpg")]
    with pytest.raises(DatasetError, match=r"names label, Path, other \(expected url2; say which with --column"):
        names(album / "table.csv", column="url2")


@pytest.mark.parametrize(
    "heading", ["Image Path,b", "file_name,b", "b,picture", "sep=,\nfilepath,b", "\ufeffimage-path,b"]
)
def test_headings_and_names_of_other_programs(album: Path, heading: str) -> None:
    line = "2,b\\9.jpg" if heading.startswith("b,") else "b\\9.jpg,2"
    (album / "table.csv").write_text(f"{heading}\n{line}\n", encoding="utf-8")
    assert names(album / "table.csv") == [str(album / "b/9.jpg")]


def test_a_quote_that_is_not_closed_is_told(album: Path) -> None:
    (album / "table.csv").write_text('path\na.jpg\n"b/9.jpg\n' + 70_000 * "a.jpg\n")
    with pytest.raises(DatasetError, match="a quote that is not closed"):
        names(album / "table.csv")


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
def test_archives(album: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"shard-0{ending}"
    with tarfile.open(file, "w:gz" if ending.endswith("gz") else "w") as archive:
        for name in ("b/coffee.jpg", "c/notes.md", "c/d/rocket.jpg"):
            archive.add(album / name, name)
    assert names(file) == [f"{file}/b/coffee.jpg", f"{file}/c/d/rocket.jpg"]
    expected = [(album / "b/coffee.jpg").read_bytes(), (album / "c/d/rocket.jpg").read_bytes()]
    assert content(file) == expected
    assert as_bytes(find(f"{file}/c/d/rocket.jpg")) == expected[1]


def packed(album: Path, count: int) -> bytes:
    """A tar archive of one image, many times."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(count):
            archive.add(album / "a.jpg", f"{number}.jpg")
    return file.getvalue()


def header(content: bytes, number: int) -> int:
    """Where the header of a member begins."""
    return content.index(f"{number}.jpg\0".encode())


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a bad header": lambda whole: whole[: header(whole, 4)] + b"\xff" * 512 + whole[header(whole, 4) + 512 :],
    "a flipped bit in a header": lambda whole: whole.replace(b"4.jpg\0", b"5.jpg\0", 1),
    "cut at a member's start": lambda whole: whole[: header(whole, 4)],
    "cut in a header": lambda whole: whole[: header(whole, 4) + 100],
    "a hole of zeros": lambda whole: whole[: header(whole, 4)] + bytes(1024) + whole[header(whole, 4) + 1024 :],
    "a second archive behind": lambda whole: whole[: header(whole, 4)] + bytes(1024) + whole,
    "a huge size": lambda whole: whole[: header(whole, 4)] + _header(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
    "a negative size": lambda whole: whole[: header(whole, 4)] + _header(b"\xff" * 10 + b"\0\0"),
}


def _header(size: bytes) -> bytes:
    """A header with that size, and a checksum that is right."""
    block = bytearray(tarfile.TarInfo("4.jpg").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(512)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_gives_what_is_before_the_damage_and_itself(
    album: Path, tmp_path: Path, damage: str, ending: str
) -> None:
    file, whole = tmp_path / f"shard{ending}", packed(album, 10)
    pack = gzip.compress if ending == ".tar.gz" else bytes
    file.write_bytes(pack(whole))
    assert names(file) == [f"{file}/{number}.jpg" for number in range(10)]
    file.write_bytes(pack(DAMAGE[damage](whole)))
    *before, last = items_of([str(file)])
    assert [item.name for item in before[:4]] == [f"{file}/{number}.jpg" for number in range(4)]
    assert last.name == str(file)
    with pytest.raises(ImageError, match="a damaged archive"):
        as_bytes(last.source)


def test_a_compressed_archive_with_a_flipped_bit_is_told(album: Path, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(packed(album, 3), compresslevel=0))  # so that it can still be unpacked
    content[len(content) // 2] ^= 1
    (tmp_path / "shard.tar.gz").write_bytes(content)
    assert names(tmp_path / "shard.tar.gz")[-1] == str(tmp_path / "shard.tar.gz")


def test_a_image_that_is_cut_short_is_an_error(album: Path, tmp_path: Path) -> None:
    whole = packed(album, 1)
    (tmp_path / "shard.tar").write_bytes(whole[:5000])
    first, *_ = items_of([str(tmp_path / "shard.tar")])
    with pytest.raises(ImageError, match=r"\d+ bytes of .* cut short"):
        as_bytes(first.source)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes and links")
def test_dangling_links_and_pipes_are_rows(album: Path) -> None:
    os.mkfifo(album / "pipe.jpg")
    (album / "link.jpg").symlink_to(album / "gone.jpg")
    found = {item.name: item for item in items_of([str(album)])}
    with pytest.raises(ImageError, match="no such file"):
        read_image(found[str(album / "link.jpg")].source)
    with pytest.raises(ImageError, match="not a file"):
        read_image(found[str(album / "pipe.jpg")].source)
    (album / "list.txt").write_text("pipe.jpg\n")
    (item,) = items_of([str(album / "list.txt")])
    with pytest.raises(ImageError, match="not a file"):
        read_image(item.source)
    os.mkfifo(album / "pipe.tar")
    with pytest.raises(DatasetError, match="a pipe"):
        names(album / "pipe.tar")


@pytest.mark.parametrize("shape", ["bytes", "hugging face"])
def test_columns_of_parquet_files(album: Path, tmp_path: Path, shape: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra batch")
    import pyarrow.parquet as pq

    encoded = [(album / "a.jpg").read_bytes(), None, (album / "c/d/rocket.jpg").read_bytes()]
    cells = encoded if shape == "bytes" else [{"bytes": each, "path": "x.jpg"} for each in encoded]
    file = tmp_path / "images.parquet"
    pq.write_table(pa.table({"label": [1, 2, 3], "image": cells}), file, row_group_size=2)
    items = list(items_of([str(file)]))
    assert [item.name for item in items] == [f"{file}/{row}" for row in range(3)]
    assert as_bytes(items[2].source) == encoded[2]
    assert as_bytes(find(f"{file}/0")) == encoded[0]
    with pytest.raises(DatasetError, match="no column of encoded images label among label, image"):
        list(items_of([str(file)], "label"))


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_parquet_file_whose_name_is_no_text(album: Path, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra batch")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [(album / "a.jpg").read_bytes()]}), tmp_path / "one.parquet")
    file = os.fsdecode(bytes(tmp_path) + b"/\xff.parquet")
    try:
        (tmp_path / "one.parquet").rename(file)
    except OSError:
        pytest.skip("a file system that takes text only")
    (item,) = items_of([file])
    item.name.encode("utf-8")


@pytest.mark.parametrize("spec", ["missing.jpg", "missing/", "missing.tar", "long" * 80 + ".jpg"])
def test_what_is_not_there(tmp_path: Path, spec: str) -> None:
    from boxless.batch.sources import check

    with pytest.raises(DatasetError, match="too long" if "long" in spec else "no such file or folder"):
        check([str(tmp_path / spec)])
    assert find(str(tmp_path / spec)) == str(tmp_path / spec)


def test_a_source_without_images(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images there"):
        names(tmp_path)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(album: Path) -> Iterator[str]:
    """The album at an address of this machine."""
    serve = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(album)))
    thread = threading.Thread(target=serve.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serve.server_port}"
    serve.shutdown()
    thread.join()
    serve.server_close()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_lists_of_addresses(album: Path, server: str) -> None:
    pytest.importorskip("fsspec", reason="needs the extra cloud")
    pytest.importorskip("aiohttp", reason="needs the extra cloud")
    (album / "list.txt").write_text(f"{server}/a.jpg\n{server}/missing.jpg\n")
    first, second = items_of([f"{server}/list.txt"])
    assert first.name == f"{server}/a.jpg"
    assert read_image(first.source).width == 600
    with pytest.raises(Exception, match="cannot be read"):
        read_image(second.source)


def test_folders_at_addresses(album: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs the extra cloud")
    memory = fsspec.filesystem("memory")
    for path in album.rglob("*.*"):
        memory.pipe_file(f"/album/{path.relative_to(album).as_posix()}", path.read_bytes())
    assert [name.removeprefix("memory://") for name in names("memory:///album")] == [
        f"/album/{name}"
        for name in ("a/z.jpg", "a.jpg", "b/10.jpg", "b/9.jpg", "b/coffee.jpg", "c/broken.jpg", "c/d/rocket.jpg")
    ]
    assert [name.rpartition("/")[2] for name in names("memory:///album/b/*.jpg")] == ["10.jpg", "9.jpg", "coffee.jpg"]
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.add(album / "a.jpg", "one.jpg")
    memory.pipe_file("/packed.tar", file.getvalue())
    assert content("memory:///packed.tar") == [(album / "a.jpg").read_bytes()]
    with pytest.raises(DatasetError, match="no such file or folder there"):
        names("memory:///nothing")


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_address_that_cannot_be_reached() -> None:
    pytest.importorskip("fsspec", reason="needs the extra cloud")
    pytest.importorskip("aiohttp", reason="needs the extra cloud")
    with pytest.raises(
        DatasetError, match=r"http://127\.0\.0\.1:1/list\.txt: cannot be read .* can this machine reach"
    ):
        names("http://127.0.0.1:1/list.txt")


def test_an_address_that_nobody_knows() -> None:
    pytest.importorskip("fsspec", reason="needs the extra cloud")
    with pytest.raises(DatasetError, match="nonsense://: no such place"):
        names("nonsense://bucket/folder")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_archives(album: Path, tmp_path: Path, method: int) -> None:
    file = tmp_path / "photos.zip"
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in ("b/coffee.jpg", "c/notes.md", "c/d/rocket.jpg"):
            archive.write(album / name, name)
        archive.writestr("__MACOSX/b/coffee.jpg", b"no image")
    assert names(file) == [f"{file}/b/coffee.jpg", f"{file}/c/d/rocket.jpg"]
    expected = [(album / "b/coffee.jpg").read_bytes(), (album / "c/d/rocket.jpg").read_bytes()]
    assert content(file) == expected
    assert as_bytes(find(f"{file}/c/d/rocket.jpg")) == expected[1]


SIZE = 5_000_000


def replaced(old: int, new: int) -> Callable[[bytes], bytes]:
    """The size of an archive's only file is another in its directory."""
    return lambda whole: whole.replace(old.to_bytes(4, "little"), new.to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[:-30], "a damaged archive"),
        (lambda whole: whole[:45] + bytes(3) + whole[48:], "a damaged archive"),
        (replaced(SIZE, 5000), "its checksum differs"),
        (replaced(SIZE, 2**31), "2.1 GB"),
    ],
)
def test_damaged_zip_archives_are_not_believed(damage: Callable[[bytes], bytes], said: str, tmp_path: Path) -> None:
    """Nor what says that it inflates to less than it does, or to more than any image has."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.jpg", bytes(SIZE))
    (tmp_path / "photos.zip").write_bytes(damage(packed.getvalue()))
    (item,) = items_of([str(tmp_path / "photos.zip")])
    with pytest.raises(OSError, match=said):
        item.source.read()  # type: ignore[union-attr]
