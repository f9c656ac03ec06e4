"""What a CDS Hooks client is told of the service: `GET /cds-services`."""

from __future__ import annotations

from typing import Any

from ivig.chart.queries import for_hook, variant_3
from ivig.trust.clients import Client
from ivig.wire.hook import DISPATCH, HOOKS, SELECT, SIGN
from ivig.wire.prefetch import Query

SERVICE = "ivig-order-check"
NEWER = "3.0"
# The published definitions, by which a 3.0 client knows the context it has to send.
_HOOK_VERSIONS = {SELECT: "1.0", SIGN: "1.0", DISPATCH: "1.1"}
_CDS_HOOKS = "3.0.0"
_WHEN = {
    SELECT: "while an order is being written; says nothing of what is simply not filled in yet",
    SIGN: "before an order is signed",
    DISPATCH: "before an order is sent to who will carry it out",
}
_NEEDS = (
    "Needs the patient, by prefetch or by access to the FHIR server; all else is optional. What is neither prefetched nor can be "
    "fetched is reported as not checked, never taken as absent: send every key, and null where the record holds nothing. "
    "Advises on immune globulin orders only, and is not meant for directing emergencies."
)


def discovery(asked: tuple[Query, ...], client: Client) -> dict[str, Any]:
    """The discovery document for a client: what any 2.0 client understands, with the extras of 3.0 where the client's page asks for them.

    All hooks share one id: a newer answer takes the place of an older one.
    """
    return {"services": [_service(hook, asked, client) for hook in HOOKS]}


def _service(hook: str, asked: tuple[Query, ...], client: Client) -> dict[str, Any]:
    newer = client.cds_hooks == NEWER
    told_of = variant_3(asked, hook) if newer else for_hook(asked, hook)
    told: dict[str, Any] = {
        "hook": hook,
        "id": SERVICE,
        "title": "IVIG order check",
        "description": (
            f"Judges orders of immune globulin {_WHEN[hook]}: indication, dose, weight, product, rate, laboratory tests and risks."
        ),
        "prefetch": {query.key: query.template for query in told_of},
        "usageRequirements": _NEEDS,
    }
    if newer:
        told |= {"version": _CDS_HOOKS, "hookVersion": _HOOK_VERSIONS[hook]}
    return told
