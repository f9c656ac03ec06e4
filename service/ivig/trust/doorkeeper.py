"""Who may come in: the one place that every call to the hooks passes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ivig.settings import Settings
from ivig.trust.clients import DEVELOPMENT, Client
from ivig.trust.keys import Keys
from ivig.trust.rate import Rate
from ivig.trust.replay import Full, Replay
from ivig.trust.token import NotTrusted, Reason, Verifier, bearer

if TYPE_CHECKING:
    import httpx

__all__ = ["Doorkeeper", "NotTrusted", "Reason", "TooMany"]


class TooMany(Exception):
    """More calls than the client has in a minute."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Doorkeeper:
    """Knows the clients by their tokens; or, where tokens are not asked for, takes everybody for the development client.

    Args:
        clients: of the page.
        clock: seconds since 1970.
        transport: in the place of the network, for tests.
        log: called with an event and plain words when a key set cannot be had, and when it can be again.
    """

    def __init__(
        self,
        settings: Settings,
        clients: Iterable[Client],
        clock: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
        log: Callable[[str, str], None] | None = None,
    ) -> None:
        clients = tuple(clients)
        self.open = settings.auth == "off"
        self.refused: dict[str, int] = {}  # by reason, for the metrics
        self._anybody = next((c for c in clients if c.id == DEVELOPMENT.id), DEVELOPMENT)
        self._most = settings.calls_per_minute
        # A developer's calls are counted only where somebody named a limit: the default is meant for clients.
        if self.open and "calls_per_minute" not in settings.model_fields_set:
            self._most = 0
        self._rate = Rate()
        self.keys = Keys(settings.private_addresses == "allowed", transport, log=log)
        self._known = tuple(c for c in clients if c.id != DEVELOPMENT.id)
        self._warming: asyncio.Task[None] | None = None
        self.verifier = Verifier(self._known, self.keys, Replay(), clock)

    async def admit(self, authorization: str, url: str) -> Client:
        """The client of a call.

        Args:
            authorization: the header, '' for none.
            url: the address that was called, as clients know it.

        Raises:
            NotTrusted: nobody we know; why is counted, and told to nobody.
            TooMany: one we know, who calls too often. The token is not used up.
        """
        if self.open:
            self._count(self._anybody)
            return self._anybody
        try:
            return await self.verifier.verify(bearer(authorization), url, count=self._count)
        except NotTrusted as refused:
            self.refused[refused.reason] = self.refused.get(refused.reason, 0) + 1
            raise
        except Full as full:
            raise TooMany(full.retry_after) from None

    def _count(self, client: Client) -> None:
        wait = self._rate.wait(client.id, client.calls_per_minute or self._most, time.monotonic())
        if wait:
            raise TooMany(wait)

    def warm(self) -> None:
        """Begin to fetch the key sets, so that no first call waits for them. To be called on the event loop."""
        if not self.open:
            self._warming = asyncio.get_running_loop().create_task(self.keys.warm(self._known))

    async def aclose(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
        await self.keys.aclose()
