"""How batches and commands are written as AMQP messages: the manifest in the headers, the rows as the body."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.messages import (
    OLDEST_SCHEMA_VERSION,
    SCHEMA_VERSION,
    Answer,
    Batch,
    Command,
    MalformedMessageError,
    Manifest,
    Part,
)

BATCH_TYPE = "application/vnd.adledger.batch"
"""The content type of batches; with none, FastStream would take the body for JSON."""

COMMAND_TYPE = "application/vnd.adledger.command+octets"
PREFIX = "adledger-"
VERSION_HEADER = "adledger-version"
MANIFEST_HEADER = "adledger-manifest"
NUMBER_HEADER = "adledger-batch"
PART_HEADER = "adledger-part"
SHA256_HEADER = "adledger-sha256"
REASON_HEADER = "adledger-reason"
"""Says on a dead letter why nobody could take it."""

KNOWN_VERSIONS = range(OLDEST_SCHEMA_VERSION, SCHEMA_VERSION + 1)

_COMMANDS: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_ANSWERS: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def batch_headers(batch: Batch) -> dict[str, str | int]:
    """Return the headers that, with its body, make up a batch."""
    return {
        VERSION_HEADER: SCHEMA_VERSION,
        MANIFEST_HEADER: msgspec.json.encode(batch.manifest).decode(),
        NUMBER_HEADER: batch.number,
        PART_HEADER: batch.part.value,
        SHA256_HEADER: batch.sha256.hex(),
    }


def read_batch(headers: Mapping[str, Any], body: bytes) -> Batch:
    """Return the batch that a message carries; raises `MalformedMessageError` when it carries none."""
    _check_version(headers)
    try:
        batch = Batch(
            manifest=msgspec.json.decode(headers[MANIFEST_HEADER], type=Manifest),
            number=int(headers[NUMBER_HEADER]),
            part=Part(headers[PART_HEADER]),
            body=body,
        )
        announced = headers[SHA256_HEADER]
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise MalformedMessageError(f"The headers do not describe a batch: {error}") from error
    if batch.sha256.hex() != announced:
        raise MalformedMessageError("The body is not the one whose SHA-256 the headers announce.")
    if not 0 <= batch.number < batch.manifest.batches:
        raise MalformedMessageError(f"Batch {batch.number} of {batch.manifest.batches} cannot be.")
    return batch


def command_headers() -> dict[str, str | int]:
    """Return the headers of a command."""
    return {VERSION_HEADER: SCHEMA_VERSION}


def write_command(command: Command) -> bytes:
    """Return the body of a command."""
    return msgspec.json.encode(command)


def read_command(headers: Mapping[str, Any], body: bytes) -> Command:
    """Return the command that a message carries; raises `MalformedMessageError` when it carries none."""
    _check_version(headers)
    try:
        return _COMMANDS.decode(body)
    except msgspec.MsgspecError as error:
        raise MalformedMessageError(f"The body is no command: {error}") from error


def write_answer(answer: Answer) -> bytes:
    """Return the body of the answer to a command."""
    return msgspec.json.encode(answer)


def read_answer(body: bytes) -> Answer:
    """Return the answer that a message carries; raises `msgspec.MsgspecError` when it carries none."""
    return _ANSWERS.decode(body)


def _check_version(headers: Mapping[str, Any]) -> None:
    version = headers.get(VERSION_HEADER)
    if version not in KNOWN_VERSIONS:
        known = f"{OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}"
        raise MalformedMessageError(f"Schema version {version!r} is none of those known here, {known}.")
