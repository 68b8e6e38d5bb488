"""A camera in the network: images one after the other over HTTP (MJPEG), as cheap cameras send them."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import Image


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


@contextmanager
def streamed(parts: Sequence[bytes], *, endless: bool = False, broken: bool = False) -> Iterator[str]:
    """The address of a stream.

    Args:
        parts: encoded frames; 100 a second.
        endless: they are sent again and again.
        broken: the last of them breaks off in its middle.
    """
    stop = threading.Event()

    class Camera(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                while not stop.is_set():
                    for number, part in enumerate(parts, 1):
                        cut = len(part) // 2 if broken and number == len(parts) else len(part)
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n"
                        self.wfile.write(head.encode() + part[:cut] + (b"\r\n" if cut == len(part) else b""))
                        if stop.wait(0.01):
                            return
                    if not endless:
                        return
            except OSError:
                pass  # who looked went away

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/front%20door.mjpg"
        finally:
            stop.set()
            server.shutdown()
            thread.join()
