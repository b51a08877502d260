"""`PATCH /campaigns/{campaign_id}`: a rename is an upload of one row, so it has history and can be taken back."""

import hashlib
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from litestar import Response, patch
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter

from services.ingest.api.asking import ask, look_later
from services.ingest.api.batching import upload_id
from services.ingest.api.intake import Intake
from services.ingest.api.reading.checks import ID_LIMIT, NAME_LIMIT
from shared.docs import answer, errors
from shared.errors import ProblemError
from shared.messages import Answer, Batch, Kind, Manifest, Mode, Origin, Part, Rename, Renamed


class NewName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign is to be called."""

    name: Annotated[
        str,
        msgspec.Meta(description=f"1 to {NAME_LIMIT} characters; spaces around them are dropped."),
    ]


class NamedCampaign(msgspec.Struct, frozen=True):
    """A campaign as it is called now."""

    id: Annotated[int, msgspec.Meta(description="The campaign's id.")]
    name: Annotated[str | None, msgspec.Meta(description="What it is called now.")]
    type: Annotated[str | None, msgspec.Meta(description="As the ad platform names it; null until a file tells it.")]


@patch(
    "/campaigns/{campaign_id:int}",
    tags=["Campaigns"],
    summary="Rename a campaign",
    responses=answer(
        HTTPStatus.OK,
        NamedCampaign,
        "Renamed, and to be read under the new name.",
        {"id": 30517264981, "name": "Tents", "type": "SEARCH_STANDARD"},
    )
    | answer(
        HTTPStatus.ACCEPTED,
        None,
        "Taken, but not carried out within 10 s.",
        None,
    )
    | errors(
        BAD_REQUEST="name: Expected `str`, got `int`.",
        NOT_FOUND="No file and no ad group names campaign 7.",
        SERVICE_UNAVAILABLE="The queue does not answer. Send the same request again.",
    ),
)
async def rename_campaign(
    campaign_id: Annotated[
        int,
        Parameter(
            ge=0,
            le=ID_LIMIT,
            description="The campaign's id.",
            examples=[Example(value=30517264981)],
            schema_extra={"minimum": 0, "maximum": ID_LIMIT},
        ),
    ],
    data: Annotated[NewName, Body(description="The new name.", examples=[Example(value={"name": "Tents"})])],
    intake: NamedDependency[Intake],
) -> Response[Any]:
    """Rename a campaign, and answer once the new name can be read.

    A rename is an upload of one row: it is listed with the others, and a later file that names the campaign
    overrides it.
    """
    batch = _batch(campaign_id, _checked(data.name), intake)
    renamed = await ask(intake.transport, Rename(campaign_id=campaign_id, batch=batch))
    if renamed is None:
        return look_later(batch.manifest.upload_id)
    return _answer(campaign_id, renamed)


def _answer(campaign_id: int, renamed: Answer) -> Response[Any]:
    if not isinstance(renamed, Renamed) or not renamed.found:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"No file and no ad group names campaign {campaign_id}.")
    return Response(NamedCampaign(campaign_id, renamed.name, renamed.type))


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or "\0" in name:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"name: Send 1 to {NAME_LIMIT} characters, none of them NUL.")
    return name


def _batch(campaign_id: int, name: str, intake: Intake) -> Batch:
    """Return the upload of one row that is the rename, under a key of its own."""
    escapes = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    body = f"{campaign_id}\t{name.translate(escapes)}\t\\N\n".encode()
    content_sha256 = hashlib.sha256(body).hexdigest()
    manifest = Manifest(
        upload_id=upload_id(content_sha256, Kind.CAMPAIGNS, Mode.UPSERT, str(uuid4())),
        received_at=intake.clock.now(),
        kind=Kind.CAMPAIGNS,
        mode=Mode.UPSERT,
        origin=Origin.RENAME,
        keyed=True,
        filename="rename",
        content_sha256=content_sha256,
        batches=1,
        rows_read=1,
        rows_accepted=1,
        rows_merged=0,
        rows_rejected=0,
    )
    return Batch(manifest=manifest, number=0, part=Part.ROWS, body=body)
