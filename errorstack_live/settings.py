"""Every setting, typed, with its unit and default; all problems are reported at once.

Setting ``x`` is the environment variable ``ERRORSTACK_X``, a line of ``.env``, or the content of
a file named by ``ERRORSTACK_X_FILE`` (for secrets). ``docs/configuration.md`` lists them all.
"""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errorstack_live.errors import SetupError

PREFIX = "ERRORSTACK_"


class Settings(BaseSettings):
    """What an operator may choose. Sizes are bytes, times seconds unless the name says else."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    # Where it lives
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("errorstack-live", appauthor=False),
        description="Where the embedded database and its socket live.",
    )
    mongodb_uri: SecretStr | None = Field(
        default=None, description="A MongoDB of your own; without it an embedded mongod is started."
    )
    database: str = Field(default="errorstack", description="Name of the database.")
    mongod: Path | None = Field(
        default=None, description="The mongod to start; else PATH, else the `local` extra's."
    )

    # Where it listens
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8700, ge=0, le=65535, description="Port for http; 0 picks one.")
    tls_port: int = Field(
        default=8743, ge=0, le=65535, description="Port for https, when a certificate is given."
    )
    certfile: Path | None = Field(default=None, description="Certificate chain, PEM.")
    keyfile: Path | None = Field(default=None, description="Private key of the certificate, PEM.")
    public_url: str = Field(
        default="", description="The address people use, when a proxy stands in front."
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks whose X-Forwarded-For and -Proto are believed (JSON list).",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Server processes.")
    role: Literal["all", "ingest", "dashboard"] = Field(
        default="all",
        description="Serve both doors, the ingest door alone, or the dashboard alone.",
    )

    # The ingest door
    ingest_alias: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9_-]+)?$",
        description="A neutral second path prefix, like /x.",
    )
    max_body_bytes: int = Field(
        default=1 << 20,
        ge=1024,
        le=8 << 20,
        description="Of one submission's body, this much is kept.",
    )
    key_rate: int = Field(
        default=5000, ge=1, description="Submissions per second for one stack key."
    )
    key_burst: int = Field(default=20000, ge=1, description="Submissions one key may send at once.")
    address_rate: int = Field(
        default=5000,
        ge=1,
        description=(
            "Submissions per second from one network address; an IPv6 /64 counts as one. "
            "Every further 4 KiB of a body, unpacked, count as one more."
        ),
    )
    address_burst: int = Field(
        default=20000, ge=1, description="Submissions one address may send at once."
    )

    # Keeping
    retention_days: int = Field(
        default=30, ge=1, le=3650, description="Days a new stack keeps its errors."
    )
    logs_bytes: int = Field(
        default=64 << 20, ge=1 << 20, description="Size of the capped collection of log messages."
    )
    min_free_bytes: int = Field(
        default=512 << 20,
        ge=0,
        description="With less free disk than this, submissions answer 503.",
    )

    # Watching
    max_viewers: int = Field(default=5000, ge=1, description="Open websockets in one process.")
    max_viewers_per_address: int = Field(
        default=2000, ge=1, description="Open websockets from one network address."
    )
    share_rate: int = Field(
        default=20,
        ge=1,
        description="Requests per second by one share link from one network address.",
    )
    share_burst: int = Field(
        default=200, ge=1, description="Requests a share link's reader may send at once."
    )
    session_days: int = Field(default=30, ge=1, le=365, description="Days a sign-in lasts.")

    metrics_token: SecretStr | None = Field(
        default=None,
        description="Who may read /metrics from elsewhere; without it, this machine alone.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level of the program's own log lines."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="The program's own log lines: for people or for machines."
    )


def load(**given: object) -> Settings:
    """Read the settings; ``given`` (from the command line, None means not given) wins.

    Raises SetupError naming every problem at once.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**{**_from_files(os.environ), **chosen})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "\n".join(
            f"  {PREFIX}{'.'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors()
        )
        raise SetupError(f"Some settings are not usable:\n{problems}") from error


def _from_files(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in Settings.model_fields:
        path = environ.get(f"{PREFIX}{name.upper()}_FILE")
        if path:
            try:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SetupError(f"{PREFIX}{name.upper()}_FILE: {error}") from error
    return found
