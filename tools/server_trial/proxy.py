"""The way out for apt and pip: forwards what a machine asks for; nothing reaches a machine through it."""

from __future__ import annotations

import http.client
import select
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from urllib.parse import urlsplit

_LIMIT = 120.0
_CHUNK = 1 << 16
# Headers that are about one connection, not about what is fetched.
_OWN = {"connection", "proxy-connection", "keep-alive", "host", "transfer-encoding"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """apt: plain HTTP."""
        asked = urlsplit(self.path)
        server = http.client.HTTPConnection(asked.hostname or "", asked.port or 80, timeout=_LIMIT)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            server.request(
                "GET", f"{asked.path}?{asked.query}" if asked.query else asked.path, headers=headers
            )
            answer = server.getresponse()
            self.send_response(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            # The end of the answer is the end of the connection: no length to be wrong about.
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            while piece := answer.read(_CHUNK):
                self.wfile.write(piece)
        except OSError as error:
            self.send_error(502, str(error))
        finally:
            server.close()

    def do_CONNECT(self) -> None:
        """pip: bytes both ways."""
        host, _, port = self.path.rpartition(":")
        try:
            server = socket.create_connection((host, int(port)), timeout=_LIMIT)
        except OSError as error:
            self.send_error(502, str(error))
            return
        self.close_connection = True
        with server:
            self.send_response(200)
            self.end_headers()
            _join(self.connection, server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: apt and pip tell what failed."""


def _join(client: socket.socket, server: socket.socket) -> None:
    while ready := select.select([client, server], [], [], _LIMIT)[0]:
        for source in ready:
            piece = source.recv(_CHUNK)
            if not piece:
                return
            (server if source is client else client).sendall(piece)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


@contextmanager
def proxy(listening: socket.socket) -> Iterator[str]:
    """Serves on ``listening``; yields its address as a URL."""
    host, port = listening.getsockname()
    server = _Server((host, port), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
