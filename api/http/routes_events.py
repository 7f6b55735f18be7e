"""The route of events: what changed, told as it happens to whoever may see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.http.access import ServiceOf, SignedIn, authorised
from api.http.answers import problems
from api.http.models import PREFIX
from api.records.outbox import Told
from api.work.event_feed import EventFeed, EventGoneError

router = APIRouter(prefix=f"{PREFIX}/events", tags=["events"])

ASK_EVERY_S = 1.0
"""How late an event is told at most: people wait for the next case, not for a part of a second."""
ALIVE_EVERY = 15
"""After so many silent rounds a comment is sent, so that proxies keep the connection."""


@router.get(
    "",
    summary="Follow events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: 'id' a number, 'event' a kind such as case.changed, 'data' {subject, site_id, "
            "at}. They say that something changed; who may see it asks for it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(400, 422),
    },
)
async def events(
    service: ServiceOf,
    by: SignedIn,
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(max_length=20, description="Goes on after that event; without it, after the newest."),
    ] = None,
) -> StreamingResponse:
    """What changes from now on, or after Last-Event-ID; it ends when the session does."""
    feed: EventFeed = service.events
    after = await run_in_threadpool(feed.start, last_event_id)

    async def told() -> AsyncIterator[str]:
        number, silent = after, 0
        yield ": stopline\n\n"
        while not await request.is_disconnected():
            still = await run_in_threadpool(authorised, request)
            if still is None:
                return
            try:
                page, number = await run_in_threadpool(feed.after, still, number)
            except EventGoneError:
                yield "event: reset\ndata: {}\n\n"
                return
            for event in page:
                yield _line(event)
            silent = 0 if page else silent + 1
            if silent % ALIVE_EVERY == ALIVE_EVERY - 1:
                yield ": alive\n\n"
            if not page:
                await asyncio.sleep(ASK_EVERY_S)

    return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _line(event: Told) -> str:
    data = {"subject": event.subject, "site_id": event.site_id, "at": event.at.isoformat()}
    return f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps(data)}\n\n"
