"""A file whose refused rows are fetched, mended and sent as a fix reads as if it had been right the first time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.files import AD_GROUPS, CAMPAIGNS, csv_of, exactly, send
from tests.support.running import Running, command, running
from tests.support.waiting import until

HEADER = "Dia;Campanha;ID do grupo de anúncios;Dispositivo;Impr.;Cliques;Conversões;Custo"
ROWS = [
    '01/03/2024;"Chuva; e\nvento";801;Celulares;1.234;56;1,5;R$ 1.012,50',
    "02/03/2024;Chuva;801;Computadores;500;25;2,00;R$ 454,06",
    "03/03/2024;Chuva;801;Celulares;10;1;0,25;R$ 7,10",
    "03/03/2024;Chuva;801;Celulares;20;2;0,25;R$ 0,40",
    '04/04/2024;"Sol ""forte""";802;Tablets;300;9;0,00;R$ 3,00',
    "15/04/2024;Sol;802;Outros;300;9;0,00;R$ 3,000001",
    "16/04/2024;Sol;802;Telas de TV;7;0;0,00;R$ 0,00",
]
SPOILT = {
    ROWS[0]: ROWS[0].replace(";801;", ";8,01E+2;"),
    ROWS[2]: ROWS[2].replace(";1;0,25;", ";-1;0,25;"),
    ROWS[4]: ROWS[4].replace("04/04/2024", "31/04/2024"),
    ROWS[5]: f"{ROWS[5]};9",
    ROWS[6]: ROWS[6].replace("Telas de TV", "Torradeira"),
}
NAMES = (csv_of(CAMPAIGNS, "81,Rain,SEARCH", "82,Sun,"), csv_of(AD_GROUPS, "801,Boots,81", "802,Hats,82"))
READS = (
    "/campaigns",
    *(f"/performance-time-series?aggregate_by={step}" for step in ("day", "week", "month")),
    "/compare-performance?start_date=2024-04-01&end_date=2024-04-30&compare_mode=previous_month",
)


def file_of(*rows: str) -> bytes:
    """Return a file such as a spreadsheet in Brazil writes."""
    return "\n".join(["Relatório", HEADER, *rows, ""]).replace("\n", "\r\n").encode("utf-16")


RIGHT = file_of(*ROWS)
WRONG = file_of(*(SPOILT.get(row, row) for row in ROWS))


@dataclass(frozen=True)
class Stage:
    """An adledger, and a client of it that says who it is."""

    adledger: Running
    http: httpx.Client

    def sent(self, content: bytes, **parameters: str) -> dict[str, Any]:
        """Send a file and return what became of it."""
        return self.settled(send(self.http, content, **parameters)["id"])

    def settled(self, upload_id: str) -> dict[str, Any]:
        """Return an upload once it counts."""
        until(lambda: self.http.get(f"/uploads/{upload_id}").json().get("state") == "applied")
        found: dict[str, Any] = exactly(self.http.get(f"/uploads/{upload_id}"))
        return found

    def reads(self) -> list[Any]:
        """Return what every read answers."""
        return [exactly(self.http.get(path)) for path in READS]

    def to_mend(self, upload_id: str) -> bytes:
        """Return the refused rows as the file to mend, to the byte."""
        return self.http.get(f"/uploads/{upload_id}/rejections", headers={"Accept": "text/csv"}).content


@pytest.fixture(params=["inline", "RabbitMQ"])
def stage(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """An adledger on either transport, with the campaigns and ad groups of the file."""
    settings = {"ADLEDGER_SENDER_HEADER": "X-Forwarded-User", "ADLEDGER_DATABASE_URL": database_url}
    if request.param == "RabbitMQ":
        settings["ADLEDGER_AMQP_URL"] = request.getfixturevalue("rabbitmq")
        settings["ADLEDGER_QUEUE_PREFIX"] = request.getfixturevalue("topology").prefix
    with running(tmp_path, "up", settings=settings) as adledger, adledger.http() as http:
        http.headers["X-Forwarded-User"] = "ana@example.org"
        found = Stage(adledger, http)
        for each in NAMES:
            found.sent(each)
        yield found


@pytest.fixture
def right(stage: Stage) -> list[Any]:
    """What every read answers when the file is right the first time; it is taken back again."""
    upload = stage.sent(RIGHT)
    assert (upload["rows_accepted"], upload["rows_merged"], upload["rows_rejected"]) == (6, 1, 0)
    answers = stage.reads()
    assert stage.http.delete(f"/uploads/{upload['id']}").status_code == 200
    return answers


def mended(fetched: bytes) -> bytes:
    """Put right what was spoilt, as a person would, and nothing else."""
    text = fetched.decode().replace("\r\n", "\n")
    for row, spoilt in SPOILT.items():
        assert text.count(f"\n{spoilt};") == 1
        text = text.replace(f"\n{spoilt};", f"\n{row};")
    return text.encode()


def test_mended_over_http_it_reads_as_if_it_had_been_right(stage: Stage, right: list[Any]) -> None:
    original = stage.sent(WRONG)
    assert (original["rows_accepted"], original["rows_rejected"]) == (2, 5)
    assert stage.reads() != right

    report = original["report"]
    said = {"locale": report["locale"], "date_order": report["date_order"]}
    fix = stage.sent(mended(stage.to_mend(original["id"])), fixes=original["id"], **said)

    assert (fix["rows_rejected"], fix["fixes"]) == (0, original["id"])
    assert stage.reads() == right
    assert original["sender"] == fix["sender"] == "ana@example.org"


def test_mended_through_the_command_line_it_reads_as_if_it_had_been_right(
    stage: Stage, right: list[Any], tmp_path: Path
) -> None:
    server = {"ADLEDGER_URL": stage.adledger.url}
    source, mend = tmp_path / "wrong.csv", tmp_path / "mend.csv"
    source.write_bytes(WRONG)
    assert command("upload", str(source), settings=server).returncode == 1
    original = exactly(stage.http.get("/uploads?limit=1"))[0]["id"]
    assert command("rejections", original, "-o", str(mend), settings=server).returncode == 0
    assert mend.read_bytes() == stage.to_mend(original)

    mend.write_bytes(mended(mend.read_bytes()))
    sent = command("upload", str(mend), "--fixes", original, settings=server)

    assert (sent.returncode, sent.stderr) == (0, "")
    assert stage.reads() == right
    assert exactly(stage.http.get(f"/uploads/{original}"))["sender"] == "127.0.0.1"
