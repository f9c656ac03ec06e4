"""The HTTP service: every door on one application."""

from __future__ import annotations

import gc

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ivig import __version__
from ivig.entrypoints.operation import Operation, artefact, not_found
from ivig.knowledge.load import load_library
from ivig.pages import profiles_dir
from ivig.settings import Settings, load_settings
from ivig.validator import Validator
from ivig.wire.outcome import encode, refusal


def _log(event: str, **what: str) -> None:
    """A line about a fault of our own. It holds names of rules, paths and kinds of fault, never a patient's datum."""
    import structlog  # noqa: PLC0415  (a third of a second of start-up for what should never happen)

    structlog.get_logger("ivig").error(event, **what)


def _crashed(rule: str, kind: str) -> None:
    _log("rule crashed", rule=rule, kind=kind)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, with its knowledge loaded: a service with wrong numbers does not start.

    Raises:
        ivig.knowledge.pages.KnowledgeFault: a page of knowledge is faulty.
    """
    settings = settings or load_settings()
    library = load_library(settings.policy)
    validator = Validator(library, _crashed)
    operation = Operation(validator, settings.zone, settings.max_body)
    app = FastAPI(
        title="ivig-order-check", version=__version__, description="Judges intravenous immune globulin orders."
    )
    for path in ("/fhir/$validate-ivig-order", "/fhir/MedicationRequest/$validate-ivig-order"):
        app.router.add_route(path, operation.__call__, methods=["POST"])
    held = profiles_dir() / "CapabilityStatement-ivig-order-check.json"
    app.router.add_route("/fhir/metadata", artefact(held.read_bytes), methods=["GET"])
    _health(app, validator)
    _errors(app)
    settle()
    return app


def settle() -> None:
    """The knowledge lives as long as the process: the collector need not walk it again, and can wait longer between its walks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _health(app: FastAPI, validator: Validator) -> None:
    @app.get("/health/live", tags=["operations"])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["operations"])
    async def ready() -> dict[str, str | int]:
        """The knowledge is loaded and orders are judged."""
        return {
            "status": "ready",
            "version": __version__,
            "knowledge": validator.library.version,
            "policy": validator.library.policy_id,
            "rules": validator.rules,
        }


def _errors(app: FastAPI) -> None:
    """Errors in the caller's language: an OperationOutcome below /fhir."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/fhir"):
            text = (
                "There is nothing at this address."
                if error.status_code == 404
                else "This address does not take this method."
            )
            answer = not_found(text, error.status_code)
            answer.headers.update(error.headers or {})
            return answer
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        # Only the kind of fault: its text may hold a patient's data.
        _log("fault", path=request.url.path, kind=type(error).__name__)
        return Response(
            encode(refusal("exception", "The service has a fault; the order was not judged.")),
            500,
            None,
            "application/fhir+json",
        )
