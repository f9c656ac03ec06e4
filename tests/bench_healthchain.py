"""A service of HealthChain that answers our hook with a handler that only counts: the yardstick of the hooks in `make bench`.

Run by the Python of its own environment, `build/healthchain/bin/python tests/bench_healthchain.py PORT`.
"""

from __future__ import annotations

import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI  # type: ignore[import-not-found, unused-ignore]
from healthchain.models.requests.cdsrequest import CDSRequest  # type: ignore[import-not-found, unused-ignore]
from healthchain.models.responses.cdsresponse import CDSResponse  # type: ignore[import-not-found, unused-ignore]

app = HealthChainAPI()
service = CDSHooksService()


@service.hook("order-sign", id="ivig-order-check")  # type: ignore[untyped-decorator, unused-ignore]
def count(request: CDSRequest) -> CDSResponse:
    held = [bundle.get("entry", ()) for bundle in (request.prefetch or {}).values() if bundle]
    summary = f"{sum(map(len, held))} resources"
    return CDSResponse(cards=[{"summary": summary, "indicator": "info", "source": {"label": "count"}}])


app.register_service(service)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
