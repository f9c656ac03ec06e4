"""Brings the journals into the database, in batches, each record once.

How far a journal has been read stands in the database and moves in the same transaction as its records: whatever is killed in between,
nothing is lost and nothing comes twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ivig.store.record import Shown
from ivig.store.recorder import SUFFIX
from ivig.store.tables import calls, cards, drained, findings

_BATCH_BYTES = 512 * 1024  # some hundred records: no call waits long behind one batch
_decoder = msgspec.json.Decoder(Shown)


class Batch(Struct, frozen=True):
    """A stretch of a journal: its records with their places, how many lines were torn, and where it ends."""

    records: tuple[tuple[int, Shown], ...]
    torn: int
    end: int


def batch(path: Path, start: int, whole: bool) -> Batch:
    """The records of a journal from a place on, as many as come in a batch.

    Args:
        whole: nobody writes to it any more: a last line without an end is torn, and not still to come.
    """
    with path.open("rb") as file:
        file.seek(start)
        text = file.read(_BATCH_BYTES)
        if b"\n" not in text and len(text) == _BATCH_BYTES:  # a line longer than a batch
            text += file.readline()
        at_end = not file.read(1)
    records, torn, place = [], 0, start
    *lines, rest = text.split(b"\n")
    for line in lines:
        try:
            records.append((place, _decoder.decode(line)))
        except msgspec.MsgspecError:
            torn += bool(line)
        place += len(line) + 1
    if rest and whole and at_end:
        torn, place = torn + 1, place + len(rest)
    return Batch(tuple(records), torn, place)


@contextmanager
def held(path: Path, own: bool) -> Iterator[bool]:
    """Whether a journal may be read to its end by this process: its own, or one that nobody living writes to or drains."""
    if own:
        yield True
        return
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(file)


async def drain(engine: AsyncEngine, folder: Path, now: datetime, own: Path | None = None) -> int:
    """Bring into the database all that lies in the journals; returns how many records.

    Args:
        own: the journal that this process writes; those that other living processes write are theirs.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached; nothing is lost.
    """
    count = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with held(path, path == own) as mine:
            if mine:
                count += await _drained(engine, path, path == own, now)
    return count


async def _drained(engine: AsyncEngine, path: Path, own: bool, now: datetime) -> int:
    count = 0
    while True:
        async with engine.begin() as connection:
            row = (
                await connection.execute(select(drained.c.offset, drained.c.torn).where(drained.c.source == path.name))
            ).first()
            start, torn = (row.offset, row.torn) if row is not None else (0, 0)
            read = batch(path, start, whole=not own)
            if read.end == start:
                break
            await _insert(connection, path.name, read)
            position = {"offset": read.end, "torn": torn + read.torn, "at": now}
            if row is None:
                await connection.execute(insert(drained).values(source=path.name, **position))
            else:
                await connection.execute(update(drained).where(drained.c.source == path.name).values(**position))
        count += len(read.records)
    if not own:
        path.unlink(missing_ok=True)
    return count


async def _insert(connection: AsyncConnection, source: str, read: Batch) -> None:
    """Each table with one statement for all rows; the keys are asked for behind it, for a row that hands back its key goes by itself."""
    if not read.records:
        return
    await connection.execute(insert(calls), [_call(source, place, shown) for place, shown in read.records])
    here = (calls.c.source == source, calls.c.offset.between(read.records[0][0], read.records[-1][0]))
    keys = await connection.execute(select(calls.c.offset, calls.c.id).where(*here))
    of_calls: dict[int, int] = dict(keys.tuples().all())
    carded = [(card, _card(of_calls[place], card)) for place, shown in read.records for card in shown.cards]
    if not carded:
        return
    await connection.execute(insert(cards), [row for _, row in carded])
    asked = select(cards.c.id).join(calls, cards.c.call_id == calls.c.id).where(*here)
    of_cards = (await connection.execute(asked.order_by(calls.c.offset, cards.c.id))).scalars().all()
    found = [
        {"card_id": number, "rule": f.rule, "severity": f.severity, "result": f.result, "shown": f.shown}
        for number, (card, _) in zip(of_cards, carded, strict=True)
        for f in card.findings
    ]
    if found:
        await connection.execute(insert(findings), found)


def _call(source: str, place: int, shown: Shown) -> dict[str, Any]:
    return {
        "source": source,
        "offset": place,
        "at": datetime.fromisoformat(shown.at),
        "client": shown.client,
        "hook": shown.hook,
        "instance": shown.instance,
        "patient": shown.patient,
        "user_hash": shown.user,
        "encounter": shown.encounter,
        "knowledge": shown.knowledge,
        "policy": shown.policy,
        "service": shown.service,
        "prefetch": msgspec.json.encode(shown.prefetch).decode(),
        "took_ms": shown.took_ms,
    }


def _card(call: int, card: Any) -> dict[str, Any]:
    return {
        "call_id": call,
        "uuid": card.uuid,
        "order_hash": card.order,
        "verdict": card.verdict,
        "judged": card.judged,
        "indicator": card.indicator,
        "suggestions": ",".join(card.suggestions),
    }


async def positions(engine: AsyncEngine) -> dict[str, int]:
    """How far each journal has been read."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(drained.c.source, drained.c.offset))
        return {row.source: row.offset for row in rows}


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Drop the positions of journals that are long gone."""
    await connection.execute(delete(drained).where(drained.c.at < before))
