"""A client of an adledger of which nothing is known but its address."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.1
UNSETTLED = {"staging", "complete"}


@dataclass
class Client:
    """Talks to an adledger as any client would: it asks until things are settled, and takes back what it sent."""

    http: httpx.Client
    run: int
    """A number that no other run has; ids are made of it."""
    sent: list[str] = field(default_factory=list)

    def send(self, *files: tuple[str, str], **parameters: str) -> list[dict[str, Any]]:
        """Send named CSV texts in one request and return the uploads once their outcomes are settled."""
        parts = [("file", (name, text.encode(), "text/csv")) for name, text in files]
        answer = self.http.post("/uploads", files=parts, params=parameters)
        assert answer.status_code == 202, answer.text
        accepted = answer.json()["uploads"]
        self.sent += [upload["id"] for upload in accepted]
        return [self.settled(f"/uploads/{upload['id']}", upload["received_at"]) for upload in accepted]

    def settled(self, address: str, received_at: str = "0001-01-01T00:00:00Z") -> dict[str, Any]:
        """Return the upload at an address once what was received then, or later, is no longer on its way.

        A file that was sent before is known by its earlier sending until the new one has come through the queue.
        """
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            answer = self.http.get(address)
            upload: dict[str, Any] = answer.json()
            if answer.is_success and upload["state"] not in UNSETTLED and not _earlier(upload, received_at):
                return upload
            assert answer.status_code in {200, 404, 503}, answer.text
            time.sleep(float(answer.headers.get("retry-after", POLL_SECONDS)))
        raise AssertionError(f"not settled after {SETTLE_SECONDS} s: {answer.text}")

    def series(self, campaign_id: int, step: str = "month") -> list[dict[str, Any]]:
        """Return the time series of one campaign."""
        parameters: dict[str, str | int] = {"aggregate_by": step, "campaign_ids": campaign_id}
        answer = self.http.get("/performance-time-series", params=parameters)
        assert answer.status_code == 200, answer.text
        points: list[dict[str, Any]] = answer.json()
        return points

    def campaign(self, campaign_id: int) -> dict[str, Any] | None:
        """Return what `GET /campaigns` says about a campaign."""
        answer = self.http.get("/campaigns")
        assert answer.status_code == 200, answer.text
        return next((each for each in answer.json() if each["campaign_id"] == campaign_id), None)

    def take_back(self, upload_id: str) -> None:
        """Take an upload back; it may still count for a moment where this takes longer than the server waits."""
        answer = self.http.delete(f"/uploads/{upload_id}")
        assert answer.status_code in {200, 202}, answer.text

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Ask until the condition holds."""
        end = time.monotonic() + SETTLE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"not so after {SETTLE_SECONDS} s"
            time.sleep(POLL_SECONDS)


def _earlier(upload: dict[str, Any], received_at: str) -> bool:
    return datetime.fromisoformat(upload["received_at"]) < datetime.fromisoformat(received_at)
