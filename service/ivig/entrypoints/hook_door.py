"""The CDS Hooks door as a whole, put together from the settings: who may call, what may be fetched, where it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from ivig import outbound
from ivig.chart.fetch import Fetcher
from ivig.chart.queries import DRUGS_OF_DRAFTS, queries
from ivig.entrypoints.hook_answer import Answerer
from ivig.entrypoints.hook_chart import ChartGatherer
from ivig.entrypoints.hooks import Hooks
from ivig.settings import Settings
from ivig.store.pseudonyms import Pseudonyms, key_from
from ivig.store.service import StoreService
from ivig.trust.clients import load_clients
from ivig.trust.doorkeeper import Doorkeeper
from ivig.validator import Validator

_MOST_BYTES = 16 * 1024 * 1024  # of one response


class Door(Struct):
    """The endpoints, and what has to be opened and closed with the service."""

    hooks: Hooks
    store: StoreService
    fetcher: Fetcher

    async def open(self) -> None:
        self.fetcher.open()
        await self.store.start()
        self.hooks.doorkeeper.warm()

    async def close(self) -> None:
        await self.fetcher.aclose()
        await self.hooks.doorkeeper.aclose()
        await self.store.stop()


def door(
    settings: Settings,
    validator: Validator,
    log: Callable[[str, str], None] | None = None,
    store_log: Callable[[str, str], None] | None = None,
) -> Door:
    """The door of this process.

    Args:
        log: called with a rule's name and the kind of fault when what a card offers cannot be made.
        store_log: called with an event and plain words when the store, or the keys of a client, go or come back.

    Raises:
        ivig.knowledge.pages.KnowledgeFault: the page of the clients is faulty; lists every fault.
    """
    clients = load_clients(settings.clients, validator.rule_names, settings.private_addresses == "allowed")
    asked = queries(validator.library)
    read = (*asked, DRUGS_OF_DRAFTS)  # what a 3.0 client may send beside
    store = StoreService(settings, lambda: datetime.now(UTC), store_log)
    doorkeeper = Doorkeeper(settings, clients, time.time, log=store_log)
    deadline_s = settings.fetch_deadline_ms / 1000
    private = settings.private_addresses == "allowed"
    fetcher = Fetcher(
        partial(outbound.client, private=private, timeout_s=deadline_s, most_bytes=_MOST_BYTES), deadline_s
    )
    gatherer = ChartGatherer(read, validator.library.lexicon, fetcher, deadline_s)
    answerer = Answerer(validator, read, Pseudonyms(key_from(settings)), settings.zone, log)
    return Door(
        Hooks(
            asked,
            answerer,
            gatherer,
            doorkeeper,
            store,
            settings.max_body,
            settings.public_base_url,
            settings.listed_fhir_servers,
        ),
        store,
        fetcher,
    )
