"""Queries fetched from a server of the tests, and what came of them: always in time, and nothing is left running."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from ehr import Answers, Asked, Ehr, Reply, ehr, run
from ivig import outbound
from ivig.chart.fetch import Fetcher, Limits
from ivig.chart.queries import filled, queries
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query
from judged import validator

P, TOKEN = "p1", "token-that-nobody-may-see"
QUERIES = {q.key: q for q in queries(validator().library)}
CONTEXT = {"patientId": P, "encounterId": "e1"}
FEW = Query("weights", "Observation?patient={{context.patientId}}&_sort=-date&_count=2", "Observation", 2)
NOTHING = {"resourceType": "Bundle", "type": "searchset"}
SLACK_S = 0.05
_ABOUT = {"AllergyIntolerance": "patient", "Immunization": "patient"}


def of(kind: str, name: str, patient: str | None = f"Patient/{P}", **more: Any) -> dict[str, Any]:
    """A resource of a kind, about a patient."""
    about = {_ABOUT.get(kind, "subject"): {"reference": patient}} if patient else {}
    return {"resourceType": kind, "id": name, **about, **more}


def bundle(*resources: Any, following: str = "", **more: Any) -> dict[str, Any]:
    link = {"link": [{"relation": "next", "url": following}]} if following else {}
    return {**NOTHING, "entry": [{"resource": r} for r in resources], **link, **more}


def chart(asked: Asked) -> Reply:
    """One resource for each query, as a server does that works."""
    kind, _, name = asked.path.partition("/")
    if kind == "Patient":
        return Reply({"resourceType": "Patient", "id": name})
    if name:
        return Reply(of(kind, name))
    return Reply(bundle(of(kind, "x1"), of(kind, "x2")))


def but(wanted: Callable[[Asked], bool], reply: Reply) -> Answers:
    return lambda asked: reply if wanted(asked) else chart(asked)


def is_weights(asked: Asked) -> bool:
    return "29463-7" in asked.query.get("code", [""])[0]


def fetcher(deadline_s: float = 0.4, limits: Limits | None = None) -> Fetcher:
    return Fetcher(lambda: outbound.client(private=True, timeout_s=5, most_bytes=50_000_000), deadline_s, limits)


def gathered(
    answers: Answers,
    wanted: Sequence[str] | Query = tuple(QUERIES),
    references: Sequence[str] = (),
    deadline_s: float = 0.4,
    limits: Limits | None = None,
    look: Callable[[Ehr, float], None] = lambda server, took: None,
    token: str = TOKEN,
) -> tuple[dict[str, Answer], dict[str, Item]]:
    """What comes of the queries on such a server. It always returns in time, and leaves nothing running."""
    asked = (wanted,) if isinstance(wanted, Query) else tuple(QUERIES[key] for key in wanted)
    found: list[tuple[dict[str, Answer], dict[str, Item]]] = []

    async def fetch() -> None:
        async with ehr(answers) as server:
            at = fetcher(deadline_s, limits)
            named = [r.replace("BASE", server.base) for r in references]
            begun = time.perf_counter()
            found.append(await at.gather(filled(asked, CONTEXT), server.base + "/", token, P, named))
            took = time.perf_counter() - begun
            others = [t for t in asyncio.all_tasks() if "Fetched" in repr(t.get_coro())]
            assert not others
            await at.aclose()
            assert took < deadline_s + SLACK_S
            look(server, took)

    run(fetch)
    return found[0]


def told(answers: Answers, query: Query = FEW, **how: Any) -> Answer:
    return gathered(answers, query, **how)[0][query.key]


def names(answer: Answer) -> list[str]:
    return [item.resource.id for item in answer.items]


def same(got: int, wanted: int) -> None:
    """An equality that a lambda can ask for."""
    assert got == wanted
