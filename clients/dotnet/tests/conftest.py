"""The library and the tests' program, compiled once for each platform."""

import pytest
from harness.csharp import DOTNET, Done, Platform, Program, core, mono


@pytest.fixture(scope="session", params=[mono, core], ids=["mono", "core"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Mono, then .NET Core, each with the library."""
    made: Platform = request.param(tmp_path_factory.mktemp("dotnet"))
    return made


@pytest.fixture(scope="session")
def host(platform: Platform) -> Program:
    """Runs a scenario of Host.cs: its name, a server's address, a key, and more."""
    program = platform.compile(DOTNET / "tests" / "Host.cs", out="Host.exe")

    def run(*words: str) -> Done:
        return platform.run(program, *words)

    return run
