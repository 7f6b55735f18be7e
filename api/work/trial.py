"""Whether a place is on trial: where the public was not told, or no sign stands, findings accuse nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from api.records import registers, sites
from api.records.registers import Entry
from api.register_document import FORBIDS_PARKING, RegisterDocument
from api.time_zone import UnknownTimeZoneError, time_zone
from evidence.database import Transaction
from evidence.records import CaseRecord
from rules.finding import Rule


class Trial(StrEnum):
    """Why a finding is on trial."""

    UNPUBLISHED = "unpublished"
    """The site was not announced when it happened, or is in no register."""
    NO_SIGN = "no_sign"
    """No sign or marking that forbids parking stood at the zone when it happened."""


def is_trial(tx: Transaction, record: CaseRecord, now: datetime) -> bool:
    """Whether the finding was made at a place that was on trial then, so that nobody may confirm it.

    To be asked in the transaction of whoever decides; ``now`` stands for the moment of a recording that nobody dated.
    An office whose register has no site at all keeps none: nothing is on trial there.
    """
    return trials(tx, (record,), now)[record.id] is not None


def trials(tx: Transaction, records: Sequence[CaseRecord], now: datetime) -> Mapping[str, Trial | None]:
    """Why each of the findings is on trial, by its id; None where it is not. As ``is_trial``, with a read for all of them."""
    if not records or not sites.has_sites(tx):
        return {record.id: None for record in records}
    found = registers.entries(tx, sorted({record.site_id for record in records}))
    documents = {site_id: document_of(entry) for site_id, entry in found.items()}
    return {record.id: _trial(record, documents.get(record.site_id), now) for record in records}


def document_of(entry: Entry) -> RegisterDocument:
    """What the entry says."""
    return RegisterDocument.model_validate_json(entry.document)


def _trial(record: CaseRecord, document: RegisterDocument | None, now: datetime) -> Trial | None:
    try:
        day = (record.captured_at or now).astimezone(time_zone(record.time_zone)).date()
    except UnknownTimeZoneError:
        day = (record.captured_at or now).date()
    if document is None or document.published_on is None or day < document.published_on:
        return Trial.UNPUBLISHED
    if record.rule is Rule.NO_PARKING:
        kinds = {sign.kind for sign in document.signs_at(record.place_id, day)}
        if not kinds & FORBIDS_PARKING:
            return Trial.NO_SIGN
    return None
