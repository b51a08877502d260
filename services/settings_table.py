"""The table of all settings, made from the settings classes and kept in `docs/settings.md`; a test holds it to them."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.settings import ConsumerSettings
from services.processes import UpSettings
from services.query.settings import QuerySettings
from shared.settings import DatabaseSettings, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

PROCESSES: dict[str, type[Settings]] = {
    "up": UpSettings,
    "serve ingest": IngestSettings,
    "serve query": QuerySettings,
    "consume": ConsumerSettings,
    "migrate": DatabaseSettings,
}

HEAD = """
# Settings

Written by `adledger settings` from the settings classes; change those, not this page.

Each setting is an environment variable, or a file of the same name in the folder that `ADLEDGER_SECRETS_DIR` names
(a mounted secret; the environment goes first). They are read when a process starts, and never again. A secret is
never logged. Without a broker's address ingest takes the inline transport, and then it needs `ADLEDGER_DATABASE_URL`
as well; the client commands take `--url` or `ADLEDGER_URL`. `ADLEDGER_FAILPOINT` is for the fault suite alone: it makes
a process fail on purpose.

| setting | read by | default | meaning |
|---|---|---|---|
""".lstrip()


def settings_page() -> str:
    """Return the page with the table of all settings."""
    rows: dict[str, list[tuple[str, FieldInfo]]] = {}
    for process, settings in PROCESSES.items():
        for name, field in settings.model_fields.items():
            rows.setdefault(f"ADLEDGER_{name.upper()}", []).append((process, field))
    return HEAD + "".join(_row(variable, rows[variable]) for variable in sorted(rows))


def write_settings_page() -> None:
    """Write the page to where it is read."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(settings_page(), encoding="utf-8")


def _row(variable: str, readers: list[tuple[str, FieldInfo]]) -> str:
    defaults = {process: _default(field) for process, field in readers}
    alike = len(set(defaults.values())) == 1
    stated = _default(readers[0][1]) if alike else ", ".join(f"{value} ({name})" for name, value in defaults.items())
    processes = ", ".join(f"`{process}`" for process in defaults)
    return f"| `{variable}` | {processes} | {stated} | {readers[0][1].description} |\n"


def _default(field: FieldInfo) -> str:
    if field.annotation is SecretStr:
        return "none; secret"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Path) and value.is_relative_to(Path.home()):
        return f"`~/{value.relative_to(Path.home())}`"
    return f"`{value}`"
