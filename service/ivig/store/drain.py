"""Brings the journals into the database, in batches, each record once.

How far a journal has been read stands in the database and moves in the same transaction as its records: whatever is killed in between,
nothing is lost and nothing comes twice.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ivig.store.record import Shown
from ivig.store.recorder import SUFFIX
from ivig.store.rows import call_row, card_row, finding_row, moment
from ivig.store.tables import calls, cards, drained, findings

_BATCH_BYTES = 64 * 1024  # some fifty records: answers wait no longer than their rows take to write out
_decoder = msgspec.json.Decoder(Shown)


class Batch(Struct, frozen=True):
    """A stretch of a journal: its records with their places, how many lines could not be read, and where it ends."""

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
            shown = _decoder.decode(line)
            moment(shown.at)
        except (msgspec.MsgspecError, ValueError):
            torn += bool(line)
        else:
            records.append((place, shown))
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
            try:
                read = await asyncio.to_thread(batch, path, start, whole=not own)
            except OSError:  # gone, or not to be read: it stays in the lag, and does not hold up the others
                return count
            if read.end == start:
                break
            count += await _insert(connection, path.name, read)
            position = {"offset": read.end, "torn": torn + read.torn, "at": now}
            if row is None:
                await connection.execute(insert(drained).values(source=path.name, **position))
            else:
                await connection.execute(update(drained).where(drained.c.source == path.name).values(**position))
    if not own:
        path.unlink(missing_ok=True)
    return count


async def _insert(connection: AsyncConnection, source: str, read: Batch) -> int:
    """Keep the records of a batch, but for those that are there; returns how many were new.

    Each table with one statement for all rows; the keys are asked for behind it, for a row that hands back its key goes by itself.
    """
    if not read.records:
        return 0
    here = (calls.c.source == source, calls.c.offset.between(read.records[0][0], read.records[-1][0]))
    there = set((await connection.execute(select(calls.c.offset).where(*here))).scalars())
    new = [(place, shown) for place, shown in read.records if place not in there]
    if not new:
        return 0
    # Who else put one of them there meanwhile makes this fail, and the whole batch is looked at again: no card comes in twice.
    await connection.execute(insert(calls), [call_row(source, place, shown) for place, shown in new])
    fresh = (*here, calls.c.offset.not_in(there)) if there else here
    keys = await connection.execute(select(calls.c.offset, calls.c.id).where(*fresh))
    numbers: dict[int, int] = {row.offset: row.id for row in keys}
    carded = [(numbers[place], card) for place, shown in new for card in shown.cards]
    if not carded:
        return len(new)
    await connection.execute(insert(cards), [card_row(number, card) for number, card in carded])
    asked = select(cards.c.id).join(calls, cards.c.call_id == calls.c.id).where(*fresh)
    of_cards = (await connection.execute(asked.order_by(calls.c.offset, cards.c.id))).scalars().all()
    pairs = zip(of_cards, carded, strict=True)
    found = [finding_row(number, finding) for number, (_, card) in pairs for finding in card.findings]
    if found:
        await connection.execute(insert(findings), found)
    return len(new)


async def positions(engine: AsyncEngine) -> dict[str, int]:
    """How far each journal has been read."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(drained.c.source, drained.c.offset))
        return {row.source: row.offset for row in rows}


async def unreadable(engine: AsyncEngine) -> int:
    """How many lines of all journals could not be read: torn when their process was killed."""
    async with engine.connect() as connection:
        return await connection.scalar(select(func.coalesce(func.sum(drained.c.torn), 0))) or 0


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Drop the positions of journals that are long gone."""
    await connection.execute(delete(drained).where(drained.c.at < before))
