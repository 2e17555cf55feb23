"""A line between one process and PostgreSQL that can be cut and mended: what was sent meanwhile arrives afterwards."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
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
        self._threads: list[threading.Thread] = []
        self._in_background(self._accept)

    def cut(self) -> None:
        """From now on nothing arrives, in neither direction, and nobody is told."""
        self._whole.clear()

    def mend(self) -> None:
        """What was held arrives, and everything after it."""
        self._whole.set()

    def close(self) -> None:
        """Take it away, once nobody speaks over it any more."""
        self.mend()
        # Wakes who waits for the next to come.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._in_background(self._join, client)

    def _join(self, client: socket.socket) -> None:
        self._whole.wait()
        # While the database is away, it is so for whoever asked.
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(str(self._beyond))
            there = self._in_background(self._hand_on, client, server)
            self._hand_on(server, client)
            there.join()

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

    def _in_background(self, work: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread
