"""What can go wrong, and what to do about it.

    BoxlessError
    ├── ArgumentError       a function is given an argument of another type, or out of range
    ├── ImageError        an image cannot be read, or is not an image
    ├── VideoError          a clip, camera or stream cannot be opened, or has no frames
    ├── ModelFileError      a file is no boxless model, or one that this version cannot run
    ├── NoClassMapError     a map is asked for of what a detector found, which has none
    ├── UnknownClassError   the model has no class of that name or number
    ├── UnknownPresetError  the model has no preset of that name
    ├── NetworkError        a network cannot be made into a boxless model
    │   └── UnknownNetworkError   there is no network of that name to train
    ├── TrainingError       a training cannot start, or not go on
    ├── AccuracyLossError   a quantized model says too often something else than the model it was made from
    ├── DatasetError        a data set has another layout than expected, or nothing to measure on
    ├── ResultsError        a folder of results belongs to another run, or one is at work in it
    ├── OutputError         what is to be written cannot be, or stands where something else is
    ├── ServeError          a service cannot start, or a page cannot be made
    ├── DiskSpaceError      what is to be written would not fit on the disk
    └── MissingExtraError   a command needs packages that are not installed

Every message says what was found, what was expected, and what helps.
"""

from __future__ import annotations


class BoxlessError(Exception):
    """The root of everything that boxless raises on purpose."""


class ArgumentError(BoxlessError):
    """An argument of another type than a function takes, or out of range."""


class ImageError(BoxlessError):
    """An image that cannot be read: missing, empty, truncated, too large, of the wrong shape or type."""


class VideoError(BoxlessError):
    """A clip, a camera or a stream that is not there, cannot be opened, or has no frames."""


class ModelFileError(BoxlessError):
    """A file that is no boxless model, is damaged, or was written by a newer boxless."""


class NoClassMapError(BoxlessError):
    """A map of what a detector found: it has boxes only."""


class UnknownClassError(BoxlessError):
    """A class name or index that the model does not have."""


class UnknownPresetError(BoxlessError):
    """A preset name that the model does not have."""


class DatasetError(BoxlessError):
    """A data set of a layout that is not known, with a file that is damaged, or with nothing to measure on."""


class MissingExtraError(BoxlessError):
    """Packages of an optional extra are needed and not installed."""


class NetworkError(BoxlessError):
    """A network whose class maps cannot be brought out, or that cannot be read at all."""


class UnknownNetworkError(NetworkError):
    """A name that no network of `boxless.networks` has."""


class TrainingError(BoxlessError):
    """A training that cannot start, resume, or be exported as a model."""


class AccuracyLossError(BoxlessError):
    """A quantized model that lost more than allowed; it was not written."""


class ResultsError(BoxlessError):
    """A folder of results that belongs to another run, or holds no results."""


class OutputError(BoxlessError):
    """Output that cannot be written to its place, or in its format."""


class ServeError(BoxlessError):
    """A service that cannot start at its address, or a page that cannot be made."""


class DiskSpaceError(BoxlessError):
    """Too little room on a disk for what is to be written."""


def first_line(error: object) -> str:
    """The first line of another library's error, at most 200 characters; the error's type if it has no text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
