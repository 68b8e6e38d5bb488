"""The page without a server: a folder that runs a model in its visitor's browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import quote

import onnxruntime as ort

from boxless.errors import ImageError, ServeError
from boxless.imaging.read import read_image
from boxless.models.arena import bounded
from boxless.models.model_file import ModelFile
from boxless.serve.description import describe
from boxless.system.files import write_whole

WEB = Path(__file__).parent / "web"
ALONE = Path(__file__).parent / "web_alone"

RUNTIME = "1.30.0"
"""The version of onnxruntime-web that the page is tested with."""

INSTALL = f"npm install onnxruntime-web@{RUNTIME}"

_RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_ONLY_SERVED = ("api.html", "api.js", "token.js", "shrink.js", "CREDITS.md", "coffee.jpg", "chelsea.jpg", "rocket.jpg")
_SETTINGS = {"size", "classes", "top"}

_LICENCE = """ONNX Runtime Web, https://onnxruntime.ai. Copyright (c) Microsoft Corporation. MIT License.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and
this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED
"AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def write_alone(model: str, out: Path, runtime: Path, examples: Sequence[Path] = ()) -> int:
    """Writes the folder of a page that needs no server but one of files.

    Args:
        model: a model's name or its file's path.
        out: the folder; files of other names in it stay.
        runtime: the folder of onnxruntime-web's files, see `find_runtime`.
        examples: images that the page offers to visitors who have none at hand.

    Returns:
        The size of all files together, in bytes.

    Raises:
        ModelFileError: if there is no such model, or it is no boxless model, or a detector.
        ServeError: if browsers cannot run it, or two examples have one name.
        ImageError: if an example is no image.

    Example:
        >>> from boxless.serve import find_runtime, write_alone
        >>> write_alone("mine.onnx", Path("site"), find_runtime(None, Path.cwd()))  # doctest: +SKIP
        19400000
    """
    _check_examples(examples)
    opened = ModelFile(model, threads=1)
    opened.card.need_maps("the page without a server", instead="boxless serve runs it")
    _check_inputs(opened.path)
    offered = {f"examples/{path.name}": path for path in examples}
    description = {
        "described": describe(opened),
        "card": asdict(opened.card),
        "examples": [quote(name) for name in offered],
    }
    writers: dict[str, Callable[[Path], object]] = {path.name: partial(shutil.copyfile, path) for path in _page_files()}
    writers |= {f"runtime/{name}": partial(shutil.copyfile, runtime / name) for name in _RUNTIME_FILES}
    writers |= {name: partial(shutil.copyfile, path) for name, path in offered.items()}
    writers["runtime/LICENSE.txt"] = lambda path: path.write_text(_LICENCE, encoding="utf-8")
    writers["model.onnx"] = partial(shutil.copyfile, opened.path)
    writers["model.json"] = lambda path: path.write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")
    writers["index.html"] = writers.pop("index.html")  # last: a page that is there is whole
    for name, write in writers.items():
        write_whole(out / name, write)
    return sum((out / name).stat().st_size for name in writers)


def find_runtime(given: Path | None, start: Path) -> Path:
    """The folder of onnxruntime-web's files.

    Args:
        given: the package's folder, or its `dist`; None to search where npm installs packages.
        start: the folder in which, and above which, `node_modules` is searched for.

    Returns:
        The folder that holds them.

    Raises:
        ServeError: if it is not there, or is another version than the one that the page is tested with.

    Example:
        >>> find_runtime(None, Path.cwd()).name  # doctest: +SKIP
        'dist'
    """
    if given is not None:
        found = next((folder for folder in (given, given / "dist") if _is_whole(folder)), None)
        if found is None:
            raise ServeError(f"{given}: not onnxruntime-web (expected {', '.join(_RUNTIME_FILES)} there): {INSTALL}")
        return found
    for folder in (start, *start.parents):
        package = folder / "node_modules/onnxruntime-web"
        if not _is_whole(package / "dist"):
            continue
        version = json.loads((package / "package.json").read_text(encoding="utf-8")).get("version")
        if version != RUNTIME:
            raise ServeError(
                f"{package} is version {version} (the page is tested with {RUNTIME}): {INSTALL}, or say that it is to "
                f"be this one: --runtime {package}"
            )
        return package / "dist"
    raise ServeError(
        f"the page needs onnxruntime-web, 14 MB that do not come with boxless, and there is no node_modules in {start} "
        f"or above that has it: {INSTALL}, or say where it is: --runtime DIR"
    )


def _page_files() -> Iterator[Path]:
    """The files of the page, those for the page alone in place of those that ask a server."""
    own = {path.name: path for path in ALONE.iterdir()}
    for path in WEB.iterdir():
        if path.name not in _ONLY_SERVED and path.name not in own:
            yield path
    yield from own.values()


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _RUNTIME_FILES)


def _check_examples(examples: Sequence[Path]) -> None:
    names = [path.name for path in examples]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ServeError(f"two examples are called {twice[0]} (expected names that differ)")
    for path in examples:
        try:
            read_image(path)
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from None


def _check_inputs(model: Path) -> None:
    """Browsers refuse to be given inputs that have defaults, as older model files do (decision 0018)."""
    options = bounded(ort.SessionOptions())
    options.log_severity_level = 4
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    if _SETTINGS & {each.name for each in session.get_overridable_initializers()}:
        raise ServeError(
            f"{model}: a model file of an older boxless, whose inputs have defaults, which browsers refuse; make it "
            "anew with this version"
        )
