"""Settings: where they are read from, what is told of bad ones, and that all are documented."""

from pathlib import Path

import pytest

from errorstack_live.errors import SetupError
from errorstack_live.settings import PREFIX, Settings, load

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ``.env`` and no variable of the machine that runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
        monkeypatch.delenv(f"{PREFIX}{name.upper()}_FILE", raising=False)


def row(name: str) -> str:
    field = Settings.model_fields[name]
    default = "none" if field.default in (None, "", ()) else f"`{field.default}`"
    shown = "the platform's" if field.default_factory else default
    return f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |"


def test_every_setting_is_documented_as_it_is() -> None:
    told = [
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if f"| `{PREFIX}" in line
    ]
    assert told == [row(name) for name in Settings.model_fields]


def test_each_source_wins_over_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ERRORSTACK_PORT=1\n")
    assert load().port == 1
    monkeypatch.setenv("ERRORSTACK_PORT", "2")
    assert load().port == 2
    (tmp_path / "port").write_text("3\n")
    monkeypatch.setenv("ERRORSTACK_PORT_FILE", str(tmp_path / "port"))
    assert load().port == 3
    assert load(port=4).port == 4
    assert load(port=None).port == 3


def test_secrets_are_not_shown() -> None:
    settings = load(mongodb_uri="mongodb://me:secret@db")
    assert "secret" not in repr(settings)
    assert settings.mongodb_uri
    assert settings.mongodb_uri.get_secret_value() == "mongodb://me:secret@db"


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SetupError) as told:
        load(port=99_999, ingest_alias="no slash", role="nothing")
    for name in ("PORT", "INGEST_ALIAS", "ROLE"):
        assert f"ERRORSTACK_{name}:" in told.value.message


def test_a_named_file_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRORSTACK_MONGODB_URI_FILE", "/nowhere/uri")
    with pytest.raises(SetupError, match="ERRORSTACK_MONGODB_URI_FILE"):
        load()
