"""The files of the page: read once, answered from memory, so that no request names a path."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

WEB = Path(__file__).parent / "web"
"""Where they are, all in one folder."""

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".webmanifest": "application/manifest+json",
}
"""The media types of the page's files by suffix; others are not for the browser."""


def add_page(api: FastAPI) -> None:
    """Adds the page's files to an application, `index.html` at its root."""
    files = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in WEB.iterdir() if path.suffix in TYPES}

    @api.get("/{name}", include_in_schema=False)
    async def _file(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(404)
        content, media_type = files[name]
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    @api.get("/", include_in_schema=False)
    async def _index(request: Request) -> Response:
        return await _file("index.html", request)
