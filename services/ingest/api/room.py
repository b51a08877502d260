"""What a client is told when this machine has no room for its upload: a reason, instead of an error of ours."""

import contextlib
import errno
import logging
from collections.abc import Iterator
from http import HTTPStatus

import duckdb

from shared.errors import ProblemError, unavailable

logger = logging.getLogger(__name__)

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BUSY = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
FULL_DETAIL = (
    "There is no room on disk to read the upload. Nothing of it was taken: free space under ADLEDGER_DATA_DIR, "
    "or send smaller files, and send the same request again."
)
BUSY_DETAIL = "Too much is under way for another upload. Nothing of it was taken: send the same request again."


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Turn a full disk into a 507, and a lack of files or memory into a 503."""
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        problem = _problem(error)
        if problem is None:
            raise
        logger.warning("No room for an upload: %s", str(error).splitlines()[0])
        raise problem from error


def _problem(error: Exception) -> ProblemError | None:
    if isinstance(error, OSError):
        if error.errno in BUSY:
            return unavailable(BUSY_DETAIL)
        return ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DETAIL) if error.errno in FULL else None
    if "Too many open files" in str(error):
        return unavailable(BUSY_DETAIL)
    return ProblemError(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DETAIL)
