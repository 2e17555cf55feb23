"""A line between one process and PostgreSQL that can be cut and mended: what was sent meanwhile arrives afterwards."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
"""What PostgreSQL's clients look for in the folder that they are given as the host."""
PIECE = 65_536


class Line:
    """Listens as a PostgreSQL server does in the folder `own`, and hands everything on to the one in `beyond`."""

    def __init__(self, own: Path, beyond: Path) -> None:
        own.mkdir()
        self.folder, self._beyond = own, beyond / SOCKET
        self._whole = threading.Event()
        self._whole.set()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(own / SOCKET))
        self._listening.listen(100)
        _in_background(self._accept)

    def cut(self) -> None:
        """From now on nothing arrives, in neither direction, and nobody is told."""
        self._whole.clear()

    def mend(self) -> None:
        """What was held arrives, and everything after it."""
        self._whole.set()

    def close(self) -> None:
        """Take it away."""
        self.mend()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                _in_background(self._join, client)

    def _join(self, client: socket.socket) -> None:
        self._whole.wait()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._beyond))
        except OSError:
            # The database is away: so it is for whoever asked.
            client.close()
            server.close()
            return
        _in_background(self._hand_on, client, server)
        self._hand_on(server, client)

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                self._whole.wait()
                target.sendall(data)
        self._whole.wait()
        for end in (source, target):
            # Wakes the other direction, which then ends too.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _in_background(work: object, *arguments: object) -> None:
    assert callable(work)
    threading.Thread(target=work, args=arguments, daemon=True).start()
