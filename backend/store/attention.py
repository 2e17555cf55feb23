"""How soon both ends of a connection to PostgreSQL notice that the other is gone without a word.

A machine without power or a network that swallows packets closes nothing: by default the one who waits for an answer
would wait for a quarter of an hour, and a server would keep a vanished session's locks for two.
"""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict

IDLE, INTERVAL, COUNT = 10, 5, 3
"""After so many quiet seconds the other end is asked, then every so many, and given up after so many questions."""
SECONDS = IDLE + INTERVAL * COUNT
"""Until the other end counts as gone."""

SERVER = {
    "tcp_keepalives_idle": IDLE,
    "tcp_keepalives_interval": INTERVAL,
    "tcp_keepalives_count": COUNT,
    "tcp_user_timeout": SECONDS * 1000,
}
CLIENT: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": IDLE,
    "keepalives_interval": INTERVAL,
    "keepalives_count": COUNT,
    "tcp_user_timeout": SECONDS * 1000,
    "options": " ".join(f"-c {name}={value}" for name, value in SERVER.items()),
}


def attentive(url: str) -> dict[str, str | int]:
    """The connection parameters beside a libpq URL that make both ends notice; what the URL says itself stands."""
    said = conninfo_to_dict(url)
    return {name: value for name, value in CLIENT.items() if name not in said}
