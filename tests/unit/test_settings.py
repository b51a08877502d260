"""Every setting is documented, and can come from the environment or from a mounted secret file."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.settings import ConsumerSettings
from services.settings_table import PAGE, PROCESSES, settings_page
from shared.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRETS_DIR", "AMQP_URL", "DATABASE_URL", "PREFETCH", "PORT"):
        monkeypatch.delenv(f"ADLEDGER_{name}", raising=False)


def subclasses(of: type[Settings]) -> Iterator[type[Settings]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def test_the_page_of_settings_is_the_one_that_the_code_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run: adledger settings"


def test_every_field_of_every_settings_class_has_a_row_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `(ADLEDGER_\w+)` \| .* \| (.+) \|$", settings_page(), flags=re.MULTILINE))
    fields = {name: field for each in subclasses(Settings) for name, field in each.model_fields.items()}
    assert rows.keys() == {f"ADLEDGER_{name.upper()}" for name in fields}
    assert all(field.description for field in fields.values())


def test_every_process_that_has_settings_is_in_the_table() -> None:
    leaves = {each for each in subclasses(Settings) if each.__module__ != "shared.settings"}
    assert leaves <= set(PROCESSES.values())


def test_no_variable_in_the_code_is_missing_from_the_page() -> None:
    code = [
        path.read_text(encoding="utf-8") for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")
    ]
    used = {found for text in code for found in re.findall(r"ADLEDGER_[A-Z][A-Z_]+[A-Z]", text)}
    assert used <= set(re.findall(r"ADLEDGER_[A-Z_]+[A-Z]", settings_page()))


def test_the_page_tells_no_default_password_and_no_path_of_a_machine() -> None:
    assert str(Path.home()) not in settings_page()
    assert "none; secret" in settings_page()


@pytest.mark.parametrize("name", ["ADLEDGER_AMQP_URL", "adledger_amqp_url"])
def test_a_setting_may_be_a_file_in_the_folder_of_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).write_text("amqp://user:secret@broker/\n")
    monkeypatch.setenv("ADLEDGER_SECRETS_DIR", str(tmp_path))
    assert IngestSettings().amqp_url.get_secret_value() == "amqp://user:secret@broker/"


def test_the_environment_goes_before_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ADLEDGER_PREFETCH").write_text("7")
    monkeypatch.setenv("ADLEDGER_SECRETS_DIR", str(tmp_path))
    assert ConsumerSettings().prefetch == 7
    monkeypatch.setenv("ADLEDGER_PREFETCH", "9")
    assert ConsumerSettings().prefetch == 9


def test_a_mounted_secret_of_kubernetes_is_read_through_its_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = tmp_path / "..2026_01_01"
    version.mkdir()
    (version / "ADLEDGER_DATABASE_URL").write_text("postgresql://reader@database/adledger")
    (tmp_path / "..data").symlink_to(version, target_is_directory=True)
    (tmp_path / "ADLEDGER_DATABASE_URL").symlink_to("..data/ADLEDGER_DATABASE_URL")
    monkeypatch.setenv("ADLEDGER_SECRETS_DIR", str(tmp_path))
    assert ConsumerSettings().database_url.get_secret_value() == "postgresql://reader@database/adledger"


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADLEDGER_AMQP_URL", "amqp://user:secret@broker/")
    settings = IngestSettings()
    assert "secret@" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError):
        ConsumerSettings().prefetch = 5
