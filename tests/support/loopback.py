"""A small HTTP server of this machine, for pictures that are hosted."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def host(
    status: int = 200, body: bytes = b"", *, knows_head: bool = True, ranges: bool = False, **headers: str
) -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything so; an address on it, and what it was asked: method, path, token.

    With `ranges` it sends as many bytes as were asked for, and how many there are.
    """
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._told("GET")
            wanted = self.headers.get("range")
            if ranges and wanted and status == 200:
                part = body[: int(wanted.partition("-")[2]) + 1]
                self._answer(206, part, {"content-range": f"bytes 0-{len(part) - 1}/{len(body)}"})
            else:
                self._answer(status, body, {})

        def do_HEAD(self) -> None:
            self._told("HEAD")
            if knows_head:
                self._answer(status, body, {}, send=False)
            else:
                self._answer(405, b"", {})

        def _told(self, method: str) -> None:
            asked.append(f"{method} {self.path} {self.headers.get('authorization')}")

        def _answer(self, code: int, data: bytes, more: dict[str, str], *, send: bool = True) -> None:
            self.send_response(code)
            for name, value in {**headers, **more, "content-length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if send:
                self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Not to standard error."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/a.png", asked
        finally:
            server.shutdown()
            thread.join()
