"""A gathered call judged and answered: cards, what became of every finding, and the record of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from msgspec import Struct

from ivig import __version__
from ivig.core.finding import Judgement, Report
from ivig.entrypoints.hook_chart import Gathered, states
from ivig.entrypoints.operation import Refused
from ivig.entrypoints.quieting import Quieting, fingerprint
from ivig.store.pseudonyms import Pseudonyms
from ivig.store.record import Shown, ShownCard, ShownFinding
from ivig.trust.clients import Client
from ivig.validator import Validator
from ivig.wire.cards import FINDINGS, RUN, CardMade, Telling, cards
from ivig.wire.hook import SELECT, SIGN, Call
from ivig.wire.hook_evidence import evidence, requests_of
from ivig.wire.hook_orders import Draft
from ivig.wire.prefetch import Query
from ivig.wire.read import read
from ivig.wire.telling import SHOWN

_UUID = re.compile(r"[0-9A-Fa-f-]{8,64}")
_VERDICT = "order-verdict"
_MOST_OF_ONE = 50  # immune globulin orders: each is held against all others
# At order-select nothing is said of what is simply not filled in yet.
_UNFILLED = (
    "dose-missing",
    "schedule-missing",
    "indication-missing",
    "product-unspecified",
    "order-route-missing",
    "rate-missing",
)


class Answered(Struct, frozen=True):
    """The body of the answer, and its record; None for a call that was about nothing of ours."""

    body: dict[str, Any]
    record: Shown | None = None


class Answerer:
    """Judges and tells.

    Args:
        queries: of the discovery document.
        log: called with a rule's name and the kind of fault; never with patient data.
        clock: the time, which is the day of judgement.
    """

    def __init__(
        self,
        validator: Validator,
        queries: tuple[Query, ...],
        pseudonyms: Pseudonyms,
        zone: tzinfo,
        log: Callable[[str, str], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.validator, self.queries, self.pseudonyms, self.zone, self.clock = (
            validator,
            queries,
            pseudonyms,
            zone,
            clock,
        )
        self.log = log
        self.quieting = Quieting()
        adjuncts = tuple(name for name in validator.rule_names if name.startswith("adjunct-"))
        self._withheld = frozenset((*_UNFILLED, *adjuncts))

    def answer(self, call: Call, gathered: Gathered, body: bytes, client: Client, base: str) -> Answered:
        """The answer to a call.

        Args:
            body: of the call; read again only where a card holds a changed order.
            base: the address of the service, for links.

        Raises:
            Refused: 413, too many orders.
        """
        notes = [_nameless(order) for order in gathered.nameless]
        if not gathered.orders:
            return Answered(_body([], notes, None, client, call.hook))
        if len(gathered.orders) > _MOST_OF_ONE:
            raise Refused(
                413, "too-costly", f"More than {_MOST_OF_ONE} immune globulin orders in one call: send fewer at a time."
            )
        now = self.clock()
        library = self.validator.library
        decoded, asked = evidence(
            call,
            gathered.answers,
            self.queries,
            gathered.more,
            frozenset(order.item.path for order in gathered.orders),
            frozenset(order.item.path for order in gathered.orders if order.immune_globulin is None),
            now,
            self.zone,
        )
        reading = read(decoded, library.lexicon, asked)
        report = self.validator.report(reading)
        orders = {order.item.path: order for order in gathered.orders}
        whom = f"{client.id}|{call.patient}"
        prints: dict[str, str] = {}

        def printed(path: str) -> str:
            if path not in prints:
                prints[path] = self.pseudonyms.of("order", fingerprint(orders[path].item.resource).decode())
            return prints[path]

        telling = Telling(
            hook=call.hook,
            base_url=base,
            modes={name: given.mode.value for name, given in client.rules.items()},
            withheld=self._withheld,
            repeated=(lambda j, f: self.quieting.knows(whom, printed(j.path), f)) if call.hook == SIGN else None,
            most_cards=client.most_cards,
            cds_hooks=client.cds_hooks,
            patient=f"Patient/{call.patient}",
            log=self.log,
        )
        made = cards(report, requests_of(body), telling)
        if call.hook == SELECT:
            for judgement, one in zip(report.judgements, made, strict=True):
                if one.card is not None:
                    self.quieting.remember(whom, printed(judgement.path), (f for f, fate in one.shown if fate == SHOWN))
        return Answered(
            _body([one.card for one in made if one.card is not None], notes, made, client, call.hook),
            self._record(call, gathered, client, report, made, now, printed),
        )

    def _record(
        self,
        call: Call,
        gathered: Gathered,
        client: Client,
        report: Report,
        made: tuple[CardMade, ...],
        now: datetime,
        printed: Callable[[str], str],
    ) -> Shown:
        hashed = self.pseudonyms.of
        return Shown(
            at=now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            client=client.id,
            hook=call.hook,
            instance=call.instance if _UUID.fullmatch(call.instance) else hashed("instance", call.instance),
            patient=hashed("patient", call.patient),
            user=hashed("user", call.user),
            encounter=hashed("encounter", call.encounter),
            knowledge=report.knowledge,
            policy=report.policy,
            service=__version__,
            cards=tuple(_kept(j, one, printed(j.path)) for j, one in zip(report.judgements, made, strict=True)),
            prefetch=states(gathered.answers),
        )


def _kept(judgement: Judgement, one: CardMade, order: str) -> ShownCard:
    """What is recorded of one order: codes alone."""
    card = one.card or {}
    return ShownCard(
        uuid=card.get("uuid", ""),
        order=order,
        verdict=judgement.verdict.value,
        judged=judgement.judged,
        indicator=card.get("indicator", ""),
        findings=tuple(
            ShownFinding(f.rule, f.severity.name.lower(), f.result.value, fate)
            for f, fate in one.shown
            if f.rule != _VERDICT
        ),
        suggestions=tuple(s["uuid"] for s in card.get("suggestions", ())),
    )


def _nameless(order: Draft) -> dict[str, str]:
    """The note on a draft that names no medication: it is passed over."""
    resource = order.item.resource
    ref = f"MedicationRequest/{resource.id}" if resource.id else order.item.path
    return {"rule": "order-medication-missing", "severity": "information", "result": "note", "order": ref}


def _body(
    shown: list[dict[str, Any]],
    notes: list[dict[str, str]],
    made: tuple[CardMade, ...] | None,
    client: Client,
    hook: str,
) -> dict[str, Any]:
    """The answer. What makes no card, such as a clear order, stands in its extension, so that a caller can see that it was judged."""
    body: dict[str, Any] = {"cards": shown}
    if client.crd and hook == SIGN:
        body["systemActions"] = []
    silent = [one for one in made or () if one.card is None]
    findings = [*(f for one in silent for f in one.findings), *notes]
    extension: dict[str, Any] = {}
    if findings:
        extension[FINDINGS] = findings
    if silent:
        extension[RUN] = [one.run for one in silent]
    if extension:
        body["extension"] = extension
    return body
