"""Saved Keras models: which files are that, whether they are of a sane size, and who can load them."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from boxless.errors import NetworkError, first_line
from boxless.system.extras import install
from boxless.system.files import is_file
from boxless.system.native_streams import quiet_import

MAX_BYTES = 2**31
"""Of weights: what an ONNX file can hold. A file of 3 MB can inflate to 7 GB."""

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_SUFFIXES = frozenset([".keras", ".h5", ".hdf5"])


def is_keras_file(path: Path) -> bool:
    """Whether a file is a saved Keras model, by its name or by its first bytes."""
    return path.suffix.lower() in _SUFFIXES or _starts(path, _HDF5)


def load_keras_file(path: Path, keras: ModuleType) -> Any:  # noqa: ANN401
    """A saved Keras model, HDF5 or a zip archive whatever its suffix says; one of Keras 2 is loaded with tf_keras.

    Raises:
        NetworkError: if it is no saved model, would inflate to more than `MAX_BYTES`, or cannot be loaded.
    """
    hdf5 = _starts(path, _HDF5)
    if not hdf5 and not _starts(path, _ZIP):
        raise NetworkError(f"{path}: no saved Keras model (expected .keras or .h5, written by model.save)")
    _check_size(path, hdf5)
    suffix = ".h5" if hdf5 else ".keras"
    with tempfile.TemporaryDirectory() as folder:
        named = path
        if path.suffix.lower() != suffix and not (hdf5 and path.suffix.lower() == ".hdf5"):
            named = Path(folder) / f"{path.stem}{suffix}"  # Keras goes by the suffix
            shutil.copyfile(path, named)
        try:
            return keras.saving.load_model(named, compile=False)
        # Keras raises nearly anything on what it cannot load.
        except Exception as error:
            if not hdf5:
                raise NetworkError(f"{path}: Keras cannot load it ({first_line(error)})") from None
            reason = first_line(error)
        return _load_keras_2(path, named, reason)


def _load_keras_2(path: Path, named: Path, reason: str) -> Any:  # noqa: ANN401
    """What Keras 3 cannot load, as Teachable Machine and older TensorFlow write it."""
    try:
        old = quiet_import("tf_keras")
    except ImportError:
        raise NetworkError(
            f"{path}: Keras 3 cannot load it ({reason[:80]}); it may be of Keras 2, as Teachable Machine writes them. "
            f"Install what loads those and try again: {install('boxless[keras2]')}"
        ) from None
    try:
        return old.models.load_model(named, compile=False)
    except Exception as error:
        raise NetworkError(f"{path}: neither Keras 3 nor Keras 2 can load it ({first_line(error)})") from None


def _starts(path: Path, magic: bytes) -> bool:
    if not is_file(path):  # opening a pipe would wait for somebody to write
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False


def _check_size(path: Path, hdf5: bool) -> None:
    try:
        if hdf5:
            total = _bytes_of_weights(path)
        else:
            with zipfile.ZipFile(path) as archive:
                total = sum(each.file_size for each in archive.infolist())
                for name in archive.namelist() if total <= MAX_BYTES else ():
                    if name.endswith(".h5"):
                        with archive.open(name) as file:
                            total += _bytes_of_weights(file)
    except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise NetworkError(f"{path}: a damaged Keras file ({first_line(error)})") from None
    if total > MAX_BYTES:
        raise NetworkError(
            f"{path}: it inflates to {total / 1e9:.1f} GB from {path.stat().st_size / 1e6:.1f} MB (at most "
            f"{MAX_BYTES / 1e9:.1f} GB of weights)"
        )


def _bytes_of_weights(file: Path | IO[bytes]) -> int:
    """Of all arrays of an HDF5 file once they are read: compressed or never written, they take less room in it."""
    h5py = quiet_import("h5py")
    sizes: list[int] = []

    def note(_: str, item: Any) -> None:  # noqa: ANN401
        if isinstance(item, h5py.Dataset):
            sizes.append(int(item.size or 0) * item.dtype.itemsize)

    with h5py.File(file, "r") as opened:
        opened.visititems(note)
    return sum(sizes)
