"""Connections: so many at a time, and none for longer than it needs.

Werkzeug's server, which has one thread a connection: little is answered here, and its sockets can be bounded.
"""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import threading
import time

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

_MOST_CONNECTIONS = 64
_HEADER_SECONDS, _BODY_SECONDS = 15.0, 120.0  # to send all of it
_STILL_SECONDS = 10.0  # without a byte
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server(ThreadedWSGIServer):
    """Serves an application.

    Args:
      app: the application, as WSGI has it.
      host: name or address of this machine.
      port: 0 takes one that is free.

    Raises:
      OSError: there is no such host or port here, or another program has it.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, app, host: str, port: int):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except (OSError, OverflowError):
            raise OSError(f"host={host!r}: is no name or address of this machine") from None
        try:
            listening = socket.create_server(address[:2], family=family, backlog=128)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                what = "is in use" if error.errno == errno.EADDRINUSE else "may not be used"
                raise OSError(f"port={port}: {what}; name another, or 0 for one that is free") from None
            raise OSError(f"host={host!r}: cannot be served on ({error.strerror})") from None
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        with listening:
            super().__init__(*listening.getsockname()[:2], app, _Handler, fd=listening.fileno())

    @property
    def url(self) -> str:
        """Where it is reached."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def process_request(self, request, client_address) -> None:
        if not self._free.acquire(blocking=False):
            request.settimeout(1.0)
            with contextlib.suppress(OSError):
                request.sendall(_FULL)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class _Handler(WSGIRequestHandler):
    timeout = _STILL_SECONDS

    def setup(self) -> None:
        super().setup()
        self._incoming = _Incoming(self.connection, time.monotonic() + _HEADER_SECONDS)
        self.rfile = io.BufferedReader(self._incoming)

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        self._incoming.until = time.monotonic() + _BODY_SECONDS
        return parsed

    def log(self, type: str, message: str, *args) -> None:
        """Keeps the terminal to itself, but for mistakes of the studio's own."""
        if type == "error":
            super().log(type, message, *args)


class _Incoming(io.RawIOBase):
    """What a connection sends, until a time.

    Args:
      connection: its socket.
      until: by `time.monotonic`.
    """

    def __init__(self, connection: socket.socket, until: float):
        self._connection, self.until = connection, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        self._connection.settimeout(min(left, _STILL_SECONDS))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(_STILL_SECONDS)
