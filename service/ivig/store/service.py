"""The store as the service sees it: a journal that always takes, a database that follows as it can, and feedback that is kept for sure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivig.settings import Settings
from ivig.store.recorder import FOLDER, Recorder, behind

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from ivig.store.items import FeedbackItem, FeedbackResult

_EVERY_S = 1.0
_LONGEST_PAUSE_S = 30.0
_PATIENCE_S = 10.0  # for feedback; then the client is told to repeat it
_LAST_S = 5.0  # for what is left when the service ends
_UP, _DOWN, _OUT_OF_DATE, _STARTING = "up", "down", "out-of-date", "starting"


class StoreDown(Exception):
    """The database cannot be reached: nothing was kept."""


class StoreService:
    """One for a process. It records also when it was never started, or its database is down.

    Args:
        clock: the time.
        log: called with an event and plain words, never with a patient's data or an address of the database.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None] | None = None,
    ) -> None:
        self.settings, self.clock, self._log = settings, clock, log
        self.folder = Path(settings.data_dir).expanduser() / FOLDER
        self.recorder = Recorder(self.folder, clock=clock)
        self.state = _STARTING
        self._engine: AsyncEngine | None = None
        self._task: asyncio.Task[None] | None = None
        self._positions: dict[str, int] = {}
        self._pruned: datetime | None = None

    async def start(self) -> None:
        """Begin to follow the journal, in the background: the service waits for no database."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what is in the journal by now is brought into the database if that is quickly done, else by the next process."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        own = self.recorder.path
        self.recorder.close()
        if self._engine is not None:
            if self.state == _UP and own is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self._drain(), _LAST_S)
            await self._engine.dispose()
            self._engine = None

    async def _run(self) -> None:
        pause = _EVERY_S
        while True:
            try:
                await self._once()
                pause = _EVERY_S
            except asyncio.CancelledError:
                raise
            except Exception as fault:  # noqa: BLE001  (whatever the database does, the journal goes on)
                self._is(_DOWN, _told(fault))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _once(self) -> None:
        """Connect where that is not done, then drain, and once a day prune."""
        if self._engine is None:
            self._engine = await asyncio.to_thread(_engine_of, self.settings)
        from ivig.store import database  # noqa: PLC0415  (SQLAlchemy is not needed to start)

        if self.state != _UP:
            if not await database.prepare(self._engine, self.settings):
                self._is(_OUT_OF_DATE, "run: ivig store upgrade")
                return
            self._is(_UP, "")
        await self._drain()
        now = self.clock()
        if self._pruned is None or now - self._pruned >= timedelta(days=1):
            from ivig.store.retention import prune  # noqa: PLC0415  (see above)

            await prune(self._engine, self.settings.retention_days, now)
            self.recorder.close()  # so that no journal grows older than a day; the next record begins another
            self._pruned = now

    async def _drain(self) -> None:
        from ivig.store import drain  # noqa: PLC0415  (see above)

        assert self._engine is not None
        own = self.recorder.path if self.recorder.open else None
        await drain.drain(self._engine, self.folder, self.clock(), own)
        self._positions = await drain.positions(self._engine)

    def _is(self, state: str, why: str) -> None:
        if state != self.state and self._log is not None and (self.state, state) != (_STARTING, _UP):
            self._log(f"store {state}", why)
        self.state = state

    async def feedback(self, client: str, items: Sequence[FeedbackItem]) -> FeedbackResult:
        """Keep what became of cards; it is committed when this returns.

        Raises:
            StoreDown: nothing was kept.
        """
        if self._engine is None or self.state not in (_UP, _DOWN):
            raise StoreDown
        from ivig.store.feedback import keep  # noqa: PLC0415  (SQLAlchemy is not needed to start)

        try:
            return await asyncio.wait_for(keep(self._engine, client, items, self.clock()), _PATIENCE_S)
        except Exception as fault:  # noqa: BLE001  (whatever the database does, the client is to repeat)
            self._is(_DOWN, type(fault).__name__)
            raise StoreDown from None

    def health(self) -> dict[str, Any]:
        """How the store is: its state, the bytes of the journal that it has not taken yet, and how many records were lost."""
        left = behind(self.folder, self._positions)
        return {"store": self.state, "journal_lag_bytes": left, "records_lost": self.recorder.lost}


def _engine_of(settings: Settings) -> AsyncEngine:
    """On a thread: loading SQLAlchemy takes half a second, in which orders are judged."""
    from ivig.store import database, drain, feedback, retention  # noqa: F401, PLC0415  (all that is needed from here on)

    return database.engine_of(settings)


def _told(fault: Exception) -> str:
    """The kind of a fault, for its text may hold data; that of our own says what to do."""
    from ivig.store.database import StoreFault  # noqa: PLC0415  (SQLAlchemy is not needed to start)

    return str(fault) if isinstance(fault, StoreFault) else type(fault).__name__
