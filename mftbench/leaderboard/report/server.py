"""Serve one page on the loopback interface: no files, no other path, no other host's name."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from mftbench.errors import UsageError

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost")


class _Page(BaseHTTPRequestHandler):
    content: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        """Answer with the page, only where it is asked for by a name of this machine.

        Another name would be a page elsewhere that resolves to this machine (DNS rebinding).
        """
        if self.headers.get("Host", "").partition(":")[0] not in HOSTS:  # no port if it is 80
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(self.content)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.end_headers()
            self.wfile.write(self.content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: one reader on one machine."""


def open_server(page: str, port: int = 0) -> ThreadingHTTPServer:
    """Open a server of one page; port 0 takes any free one.

    Raises UsageError if the port is taken or not allowed.
    """
    handler = type("Page", (_Page,), {"content": page.encode("utf-8")})
    try:
        return ThreadingHTTPServer((LOOPBACK, port), handler)
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot serve on port {port}: {error}; choose another --port") from error
