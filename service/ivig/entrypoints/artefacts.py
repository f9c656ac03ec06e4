"""The FHIR artefacts of `profiles/`, served as the very files that lie there."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from ivig.entrypoints.operation import FHIR_JSON, fhir_response, refused


class Artefacts:
    """Every artefact of a folder by type and id, and by canonical URL; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._by_id: dict[tuple[str, str], bytes] = {}
        self._by_url: dict[tuple[str, str], str] = {}
        for path in sorted(folder.glob("*.json")):
            held = path.read_bytes()
            resource = json.loads(held)
            place = (resource["resourceType"], resource["id"])
            self._by_id[place] = held
            self._by_url[(place[0], resource.get("url", ""))] = place[1]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind for kind, _ in self._by_id))

    async def metadata(self, request: Request) -> Response:
        return self._sent(self._by_id[("CapabilityStatement", "ivig-order-check")])

    async def by_id(self, request: Request) -> Response:
        held = self._by_id.get((_kind(request), request.path_params["id"]))
        return self._sent(held) if held is not None else refused("There is no such artefact.", 404)

    async def by_url(self, request: Request) -> Response:
        """A searchset of the artefact with this canonical URL: one or none."""
        kind, url = _kind(request), request.query_params.get("url", "")
        found = self._by_url.get((kind, url))
        entry = (
            [] if found is None else [{"resource": json.loads(self._by_id[(kind, found)]), "search": {"mode": "match"}}]
        )
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(entry)}
        return fhir_response({**bundle, "entry": entry} if entry else bundle)

    @staticmethod
    def _sent(held: bytes) -> Response:
        return Response(held, 200, None, f"{FHIR_JSON}; fhirVersion=4.0; charset=utf-8")


def _kind(request: Request) -> str:
    """The resource type in `/fhir/{type}/...`."""
    return request.url.path.split("/")[2]
