"""POST /v1/locate: an image in; data, a drawn image or a map out."""

from __future__ import annotations

import base64
import binascii
import io
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from boxless.results import Localization, Prediction
from boxless.serve.drawing import drawn_jpeg, map_png
from boxless.serve.multipart import parts_of
from boxless.serve.options import MOST_CLASSES, Options
from boxless.serve.problems import Problem, as_json
from boxless.serve.service import Service

KINDS = ("application/json", "image/jpeg", "image/png")
"""What may be answered, the first where a client does not care."""

FIELD = "image"
"""What the image is called in forms and in JSON."""


class Upload(io.BytesIO):
    """An encoded image under the client's name for it, without folders; nothing is opened by that name."""

    def __init__(self, content: bytes | bytearray, filename: str | None = None) -> None:
        super().__init__(content)
        name = PurePath((filename or "").replace("\\", "/")).name
        readable = "".join(letter for letter in name if letter.isprintable())[:200]
        self.name = readable if readable not in ("", ".", "..") else "bytes"


async def locate(service: Service, request: Request) -> Response:
    """Answers a request to locate."""
    start = time.perf_counter()
    kind = _preferred(request.headers.get("accept", ""), KINDS)
    content_type = request.headers.get("content-type", "")
    options = Options().changed(request.query_params.multi_items())
    body = await service.read(request)
    image, options = _asked(body, content_type, options)
    served = service.models[options.model]
    localizer = served.localizer(options.preset)
    for each in options.locate.classes or ():
        served.card.class_index(each)
    stages = {"read": time.perf_counter() - start}

    def job(waited: float) -> bytes | dict[str, Any]:
        begun = time.perf_counter()
        found = localizer.locate(image, options.locate)
        found = replace(found, predictions=found.predictions[:MOST_CLASSES])
        located = time.perf_counter()
        made = _answer(found, kind, options.maps, service.limits.drawn_pixels)
        stages.update(wait=waited, locate=located - begun, encode=time.perf_counter() - located)
        return made

    made = await service.work(request, image.getvalue(), job)
    for stage, seconds in stages.items():
        service.metrics.seconds.labels(stage).observe(seconds)
    timing = ", ".join(f"{stage};dur={seconds * 1e3:.1f}" for stage, seconds in stages.items())
    headers = {"Server-Timing": timing, "Vary": "Accept"}
    if isinstance(made, bytes):
        return Response(made, headers=headers, media_type=kind)
    return as_json(made, headers)


def _asked(body: bytes, content_type: str, options: Options) -> tuple[Upload, Options]:
    """The image of a body and what is asked of it, by its type: a form, JSON, or the image itself."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        parts = parts_of(body, content_type)
        files = [part for part in parts if part.filename is not None or part.name == FIELD]
        if len(files) != 1 or files[0].name != FIELD:
            found = ", ".join(f"'{part.name[:50]}'" for part in files) or "none"
            raise Problem(422, "no-image", f"files in the form: {found} (expected one, in the field '{FIELD}')")
        options = options.changed((part.name, part.text) for part in parts if part is not files[0])
        return Upload(files[0].content, files[0].filename), options
    if media_type == "application/json":
        data = _parsed(body)
        encoded = data.pop(FIELD, None)
        if not isinstance(encoded, str):
            raise Problem(422, "no-image", f"no text '{FIELD}' in the JSON (expected an image's bytes in base64)")
        try:
            content = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Problem(422, "no-image", f"'{FIELD}' is not base64 (expected an image's bytes in base64)") from None
        return Upload(content), options.changed(data.items())
    if media_type in ("", "application/octet-stream") or media_type.startswith("image/"):
        return Upload(body), options
    raise Problem(
        415,
        "unknown-media-type",
        f"Content-Type: {media_type[:100]} (expected multipart/form-data, application/json, image/* or "
        "application/octet-stream)",
    )


def _parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; a Problem if it is none."""
    data: object = None
    with suppress(ValueError, RecursionError):
        data = json.loads(body)
    if not isinstance(data, dict):
        raise Problem(400, "broken-json", "the body is no JSON object")
    return data


def _answer(found: Localization, kind: str, maps: bool, most_pixels: int) -> bytes | dict[str, Any]:
    if kind == "image/jpeg":
        return drawn_jpeg(found, most_pixels)
    if kind == "image/png":
        return map_png(found, most_pixels)
    data = found.to_dict()
    if maps:
        data["typical_activation"] = found.typical_activation
        data["predictions"] = [
            {**data_of, "class_map": _class_map(prediction)}
            for data_of, prediction in zip(data["predictions"], found.predictions, strict=True)
        ]
    return data


def _class_map(prediction: Prediction) -> dict[str, Any] | None:
    """A class map (u, v): its shape, and float32 values, little-endian, row by row, in base64; None of a detector."""
    if prediction.class_map is None:
        return None
    values = np.ascontiguousarray(prediction.class_map, "<f4").tobytes()
    return {"shape": list(prediction.class_map.shape), "data": base64.b64encode(values).decode("ascii")}


def _preferred(accept: str, offered: Sequence[str]) -> str:
    """The offered media type that an Accept header likes best, the first of those that it likes alike; 406 if none.

    See RFC 9110, section 12.5.1.
    """
    ranges = [_range(each) for each in (accept or "*/*").split(",")]

    def liking(media_type: str) -> float:
        # The most specific range that fits decides.
        fitting = [
            (pattern.count("*"), -quality)
            for pattern, quality in ranges
            if pattern in (media_type, f"{media_type.split('/')[0]}/*", "*/*")
        ]
        return -min(fitting)[1] if fitting else 0.0

    best = max(offered, key=liking)
    if liking(best) == 0:
        raise Problem(406, "not-acceptable", f"Accept: {accept[:200]} (this gives {', '.join(offered)})")
    return best


def _range(text: str) -> tuple[str, float]:
    """A media range and its quality in [0, 1]; parameters other than q do not count."""
    pattern, *parameters = (each.strip().lower() for each in text.split(";"))
    quality = 1.0
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return pattern, quality
