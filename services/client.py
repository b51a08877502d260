"""The client side of the command line: what is sent to a running adledger, and what its answers mean."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

import httpx

POLL_SECONDS = 0.2
SETTLED = frozenset({"applied", "reverted", "failed", "abandoned"})
TIMEOUT = httpx.Timeout(10.0, read=600.0, write=600.0)

Json = Any
"""Whatever JSON the server answered with."""


class RefusedError(RuntimeError):
    """The server refused the request; the message is its reason."""


class UnreachableError(RuntimeError):
    """Nobody answers at the address, or nobody who could do it now."""


@dataclass(frozen=True)
class What:
    """What is said about the files of an upload."""

    kind: str | None = None
    mode: str | None = None
    idempotency_key: str | None = None
    encoding: str | None = None
    locale: str | None = None
    date_order: str | None = None
    fixes: str | None = None
    dry_run: bool = False

    def parameters(self) -> dict[str, str]:
        """Return it as the parameters of a request."""
        named = {
            "kind": self.kind,
            "mode": self.mode,
            "encoding": self.encoding,
            "locale": self.locale,
            "date_order": self.date_order,
            "fixes": self.fixes,
            "dry_run": "true" if self.dry_run else None,
        }
        return {name: value for name, value in named.items() if value}


class Client:
    """Talks to an adledger at `url`; raises `RefusedError` and `UnreachableError`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(base_url=self._url, timeout=TIMEOUT)

    def get(self, path: str, **parameters: str | int | list[int]) -> Json:
        """Return the answer to a read."""
        return self._checked(self._send(self._http.build_request("GET", path, params=parameters))).json()

    def upload(self, files: Sequence[tuple[str, BinaryIO]], what: What) -> list[Json]:
        """Send named files in one request, as they are read, and return what the server says of each."""
        headers = {"Idempotency-Key": what.idempotency_key} if what.idempotency_key else {}
        parts = [("file", (name, file, "text/csv")) for name, file in files]
        request = self._http.build_request("POST", "/uploads", params=what.parameters(), headers=headers, files=parts)
        answer = self._checked(self._send(request))
        uploads: list[Json] = answer.json()["uploads"]
        return uploads

    def as_written(self, what: What) -> What:
        """Return what is said about a fix, read as the file that it mends was read unless something else is said.

        The few rows of a fix may not tell how numbers and dates are written, while the whole file did.
        """
        original = self.get(f"/uploads/{what.fixes}")
        report = original.get("report") or {}
        return replace(
            what,
            mode=what.mode or original["mode"],
            locale=what.locale or report.get("locale"),
            date_order=what.date_order or report.get("date_order"),
        )

    def rejections(self, upload_id: str) -> bytes:
        """Return the rows of an upload that were not loaded, as a CSV file to mend."""
        path = f"/uploads/{upload_id}/rejections"
        return self._checked(self._send(self._http.build_request("GET", path, headers={"Accept": "text/csv"}))).content

    def revert(self, upload_id: str) -> bool:
        """Take an upload back; true once its numbers are gone, false when that takes longer."""
        answer = self._checked(self._send(self._http.build_request("DELETE", f"/uploads/{upload_id}")))
        return answer.status_code == httpx.codes.OK

    def wait(self, upload: Json, seconds: float, *, keyed: bool = False) -> Json:
        """Return the upload once its outcome is settled, or as it is after so many seconds.

        `upload` is what the server said when it accepted it. A repeat under an Idempotency-Key (`keyed`) is settled
        when the first sending is.
        """
        end = time.monotonic() + seconds
        seen = upload
        while not _is_settled(seen, None if keyed else upload) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
            seen = self._look(upload)
        # What is said of a file as it is accepted, which may settle it at once, has no report.
        return seen if "report" in seen else self._look(upload)

    def _look(self, upload: Json) -> Json:
        """Return the upload as it is now; it may be unknown for a moment after it was accepted."""
        answer = self._send(self._http.build_request("GET", f"/uploads/{upload['id']}"))
        return upload if answer.status_code == httpx.codes.NOT_FOUND else self._checked(answer).json()

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except httpx.HTTPError as error:
            raise UnreachableError(f"No answer from {self._url}: {error}") from error

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise UnreachableError(_detail(answer))
        if answer.is_error:
            raise RefusedError(_detail(answer))
        return answer


def _is_settled(seen: Json, sent: Json | None) -> bool:
    """Tell whether what is seen is settled, and is the sending `sent` rather than an earlier one of the same file."""
    if sent is not None and datetime.fromisoformat(seen["received_at"]) < datetime.fromisoformat(sent["received_at"]):
        return False
    return seen["state"] in SETTLED


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase}"
