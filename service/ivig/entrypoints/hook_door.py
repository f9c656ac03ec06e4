"""The CDS Hooks door as a whole, put together from the settings: who may call, what may be fetched, where it is kept."""

from __future__ import annotations

from msgspec import Struct

from ivig.chart.fetch import Fetcher
from ivig.chart.queries import queries
from ivig.entrypoints.hook_answer import Answerer
from ivig.entrypoints.hook_chart import ChartGatherer
from ivig.entrypoints.hooks import Hooks
from ivig.settings import Settings
from ivig.store.pseudonyms import Pseudonyms, key_from
from ivig.store.service import StoreService
from ivig.trust.clients import load_clients
from ivig.trust.doorkeeper import Doorkeeper
from ivig.validator import Validator


class Door(Struct):
    """The endpoints, and what has to be opened and closed with the service."""

    hooks: Hooks
    store: StoreService
    fetcher: Fetcher

    async def open(self) -> None:
        await self.store.start()

    async def close(self) -> None:
        await self.fetcher.close()
        await self.store.stop()


def door(settings: Settings, validator: Validator) -> Door:
    """The door of this process.

    Raises:
        ivig.knowledge.pages.KnowledgeFault: the page of the clients is faulty; lists every fault.
    """
    clients = load_clients(settings.clients, validator.rule_names)
    asked = queries(validator.library)
    store = StoreService(settings)
    fetcher = Fetcher(private=settings.private_addresses == "allowed")
    gatherer = ChartGatherer(asked, validator.library.lexicon, fetcher, settings.fetch_deadline_ms / 1000)
    answerer = Answerer(validator, asked, Pseudonyms(key_from(settings)), settings.zone)
    return Door(
        Hooks(
            answerer,
            gatherer,
            Doorkeeper(settings, clients),
            store,
            settings.max_body,
            settings.public_base_url,
            settings.listed_fhir_servers,
        ),
        store,
        fetcher,
    )
