"""The one place that reads the environment: everything an installation can set, checked and frozen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 2**20
GIB = 2**30


def default_data_dir() -> Path:
    """The platform's user data folder; as root a place that the unprivileged PostgreSQL can enter."""
    return Path("/var/lib/noise-audit") if os.geteuid() == 0 else user_data_path("noise-audit")


class Limits(BaseSettings):
    """What one upload, archive, image or request may cost; bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="NOISE_AUDIT_LIMIT_", frozen=True)

    upload_bytes: int = Field(5 * GIB, gt=0)
    members: int = Field(200_000, gt=0)
    member_bytes: int = Field(64 * MIB, gt=0)
    expanded_bytes: int = Field(20 * GIB, gt=0)
    ratio: float = Field(200, gt=1)
    name_bytes: int = Field(240, gt=0)
    image_pixels: int = Field(50_000_000, gt=0)
    image_cpu_seconds: int = Field(10, gt=0)
    image_memory_bytes: int = Field(1_500_000_000, gt=0)
    json_bytes: int = Field(MIB, gt=0)
    classes: int = Field(10_000, ge=2)
    label_characters: int = Field(256, gt=0)
    queued_runs: int = Field(20, gt=0)
    logins_per_minute: int = Field(5, gt=0)
    disk_free_share: float = Field(0.1, ge=0, lt=1)
    """Of the disk stays free: an upload that would take it is refused."""


class Settings(BaseSettings):
    """One installation's settings, from `NOISE_AUDIT_*` variables; unknown or malformed values are refused."""

    model_config = SettingsConfigDict(env_prefix="NOISE_AUDIT_", frozen=True)

    data: Path = Field(
        default_factory=default_data_dir, description="folder that holds everything kept locally"
    )
    database_url: str = Field("", description="a PostgreSQL of your own; empty: the embedded one in `data`")
    artifacts: str = Field("", description="s3://bucket/prefix or a folder; empty: `data`/artifacts")
    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    public_host: str = Field("", description="host name under which browsers reach a non-loopback bind")
    server_folders: str = Field(
        "", description="folders (os.pathsep between) that `import --on-server` may read"
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = "auto"
    log_format: Literal["text", "json"] = "text"
    max_starts: int = Field(5, ge=1, description="how often one job may be started before it is failed")
    prune_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="a worker removes, once a day, files that nothing needs and that are so old; 0: it does not",
    )
    limits: Limits = Field(default_factory=Limits)

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, url: str) -> str:
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("NOISE_AUDIT_DATABASE_URL must begin with postgresql://")
        return url.replace("postgres://", "postgresql://", 1)


CLIENTS = frozenset({"NOISE_AUDIT_URL", "NOISE_AUDIT_TOKEN"})
"""What the command line and the Python client read for themselves."""


def unknown_variables() -> list[str]:
    """Variables of the environment that look like ours and are none: misspelt, most likely."""
    known = {f"NOISE_AUDIT_{name.upper()}" for name in Settings.model_fields}
    known |= {f"NOISE_AUDIT_LIMIT_{name.upper()}" for name in Limits.model_fields}
    ours = (name for name in os.environ if name.upper().startswith("NOISE_AUDIT_"))
    return sorted(name for name in ours if name.upper() not in known | CLIENTS)


def export(settings: Settings) -> None:
    """Write these settings into the environment, so that this process's children read the same."""
    for name in (
        "data",
        "database_url",
        "artifacts",
        "host",
        "port",
        "public_host",
        "server_folders",
        "device",
        "log_format",
    ):
        os.environ[f"NOISE_AUDIT_{name.upper()}"] = str(getattr(settings, name))
