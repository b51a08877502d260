"""The demonstration: a private adledger, the sample files over HTTP, and the numbers back."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn

from services.client import Client, UnreachableError, What
from services.report import Json, show_rejections, show_table, show_uploads
from services.serving import listen
from services.upload_command import upload_with_progress

SAMPLE_DATA = Path(__file__).parent.parent / "data"
SAMPLE_FILES = ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv")
START_SECONDS = 60.0
STOP_SECONDS = 40.0


def sample_files() -> list[Path]:
    """Return the sample files; raises `FileNotFoundError` where the project's `data/` is not beside its code."""
    paths = [SAMPLE_DATA / name for name in SAMPLE_FILES]
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing; the sample data is part of the project's repository.")
    return paths


def run_demo(console: Console) -> None:
    """Start a private adledger in a temporary directory, use it as a client would, and leave nothing behind."""
    files = sample_files()
    with _progress(console) as progress, tempfile.TemporaryDirectory(prefix="adledger-demo-") as folder:
        starting = progress.add_task("Starting PostgreSQL and adledger", total=None)
        with _private_adledger(Path(folder)) as url:
            progress.remove_task(starting)
            client = Client(url)
            uploads = upload_with_progress(client, files, What(), progress)
            progress.stop()
            _show(console, client, uploads)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        console=console,
        transient=not console.is_terminal,
    )


@contextmanager
def _private_adledger(folder: Path) -> Iterator[str]:
    """Run `adledger up` on a free port with a data directory of its own, whatever the environment says."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    # The server's user must be able to pass through, as it is not ours when we are root.
    folder.chmod(0o711)
    environment = {"ADLEDGER_DATA_DIR": str(folder), "ADLEDGER_PORT": str(port)} | {
        name: value for name, value in os.environ.items() if not name.startswith("ADLEDGER_")
    }
    command = [sys.executable, "-m", "services.cli", "up"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            Client(url).get("/health/ready")
        except UnreachableError:
            time.sleep(0.05)
        else:
            return
    raise UnreachableError(f"adledger did not start. Its log says:\n{log.read_text()}")


def _show(console: Console, client: Client, uploads: list[Json]) -> None:
    show_uploads(console, uploads, "POST /uploads", with_ids=False)
    campaigns = client.get("/campaigns")
    _show_campaigns(console, campaigns)
    named = [campaign for campaign in campaigns if campaign["campaign_id"] is not None]
    _show_series(console, client, named[0])
    _show_comparison(console, client)
    for upload in uploads:
        if upload["rows_rejected"]:
            show_rejections(console, client.get(f"/uploads/{upload['id']}/rejections"), upload["filename"])
            _mend(console, client, upload)


def _mend(console: Console, client: Client, upload: Json) -> None:
    """Put the first of the refused rows right, as one would in an editor, and send it as a fix of its file."""
    header, first, *_ = client.rejections(upload["id"]).splitlines(keepends=True)
    mended = header + first.replace(b",-3,", b",3,", 1)
    fixes = client.upload([("mended.csv", BytesIO(mended))], What(fixes=upload["id"]))
    show_uploads(console, fixes, f"POST /uploads?fixes={upload['id']}  (the first of them, mended)", with_ids=False)


def _show_campaigns(console: Console, campaigns: list[Json]) -> None:
    columns = ("campaign", "type", "groups", "cost/month", "cost/conversion")
    fields = ("campaign_name", "campaign_type", "num_ad_groups", "average_monthly_cost", "average_cost_per_conversion")
    rows = [[campaign[field] for field in fields] for campaign in campaigns]
    show_table(console, "GET /campaigns", columns, rows, numbers_from=2)


def _show_series(console: Console, client: Client, campaign: Json) -> None:
    points = client.get("/performance-time-series", aggregate_by="month", campaign_ids=campaign["campaign_id"])
    columns = ("month", "cost", "impressions", "clicks", "conversions", "cost/click")
    fields = ("total_cost", "total_impressions", "total_clicks", "total_conversions", "avg_cost_per_click")
    rows = [[point["date"][:7], *(point[field] for field in fields)] for point in points]
    title = f"GET /performance-time-series?aggregate_by=month&campaign_ids={campaign['campaign_id']}"
    show_table(console, f"{title}  ({campaign['campaign_name']})", columns, rows)


def _show_comparison(console: Console, client: Client) -> None:
    query = {"start_date": "2025-12-01", "end_date": "2025-12-31", "compare_mode": "previous_month"}
    compared = client.get("/compare-performance", **query)
    before, current, change = (compared[part] for part in ("before_period", "current_period", "change_in_percentage"))
    rows = [(name.replace("_", " "), before[name], current[name], change[name]) for name in change]
    columns = ("", f"from {before['start_date']}", f"from {current['start_date']}", "change in %")
    title = "GET /compare-performance?" + "&".join(f"{name}={value}" for name, value in query.items())
    show_table(console, title, columns, rows)
