"""Who may come in: the one place that every call to the hooks passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ivig.settings import Settings
from ivig.trust.clients import DEVELOPMENT, Client
from ivig.trust.keys import Keys
from ivig.trust.rate import Rate
from ivig.trust.replay import Replay
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
    """

    def __init__(
        self,
        settings: Settings,
        clients: Iterable[Client],
        clock: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        clients = tuple(clients)
        self.open = settings.auth == "off"
        self.refused: dict[str, int] = {}  # by reason, for the metrics
        self._anybody = next((c for c in clients if c.id == DEVELOPMENT.id), DEVELOPMENT)
        self._most = settings.calls_per_minute
        self._rate = Rate()
        self.keys = Keys(settings.private_addresses == "allowed", transport)
        self.verifier = Verifier((c for c in clients if c.id != DEVELOPMENT.id), self.keys, Replay(), clock)

    async def admit(self, authorization: str, url: str) -> Client:
        """The client of a call.

        Args:
            authorization: the header, '' for none.
            url: the address that was called, as clients know it.

        Raises:
            NotTrusted: nobody we know; why is counted, and told to nobody.
            TooMany: one we know, who calls too often.
        """
        if self.open:
            return self._anybody
        try:
            client = await self.verifier.verify(bearer(authorization), url)
        except NotTrusted as refused:
            self.refused[refused.reason] = self.refused.get(refused.reason, 0) + 1
            raise
        wait = self._rate.wait(client.id, client.calls_per_minute or self._most, time.monotonic())
        if wait:
            raise TooMany(wait)
        return client

    async def aclose(self) -> None:
        await self.keys.aclose()
