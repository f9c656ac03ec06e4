"""The HTTP service: every door on one application."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ivig import __version__
from ivig.entrypoints.artefacts import Artefacts
from ivig.entrypoints.endpoint import Endpoint
from ivig.entrypoints.hook_door import Door, door
from ivig.entrypoints.operation import METHOD_NOT_ALLOWED, Operation, faulted, refused
from ivig.entrypoints.rule_page import RulePages
from ivig.pages import profiles_dir
from ivig.settings import Settings, load_settings
from ivig.validator import Validator, library_of


def _log(event: str, **what: str) -> None:
    """A line about a fault of our own. It holds names of rules, paths and kinds of fault, never a patient's datum."""
    import structlog  # noqa: PLC0415  (a third of a second of start-up for what should never happen)

    structlog.get_logger("ivig").error(event, **what)


def _stored(event: str, why: str) -> None:
    _log(event, why=why)


def _crashed(rule: str, kind: str) -> None:
    _log("rule crashed", rule=rule, kind=kind)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, with its knowledge loaded: a service with wrong numbers does not start.

    Raises:
        ivig.knowledge.pages.KnowledgeFault: a page of knowledge is faulty.
    """
    settings = settings or load_settings()
    library = library_of(settings.policy)
    validator = Validator(library, _crashed)
    operation = Operation(validator, settings.zone, settings.max_body)
    hooks = door(settings, validator, _crashed, _stored)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await hooks.open()
        try:
            yield
        finally:
            await hooks.close()

    app = FastAPI(
        lifespan=lifespan,
        title="ivig-order-check",
        version=__version__,
        description="Judges intravenous immune globulin orders.",
        docs_url=None,  # their pages fetch scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirected order may travel on without TLS
    )
    for path in ("/fhir/$validate-ivig-order", "/fhir/MedicationRequest/$validate-ivig-order"):
        app.router.routes.append(Route(path, Endpoint(operation.__call__), methods=["POST"]))
    app.router.routes.append(Route("/cds-services/{id}", Endpoint(hooks.hooks.call), methods=["POST"]))
    artefacts = Artefacts(profiles_dir())
    app.router.add_route("/fhir/metadata", artefacts.metadata, methods=["GET"])
    for kind in artefacts.kinds:
        app.router.add_route(f"/fhir/{kind}/{{id}}", artefacts.by_id, methods=["GET"])
        app.router.add_route(f"/fhir/{kind}", artefacts.by_url, methods=["GET"])
    app.router.add_route("/cds-services", hooks.hooks.discover, methods=["GET"])
    app.router.add_route("/cds-services/{id}/feedback", hooks.hooks.feed_back, methods=["POST"])
    app.router.add_route("/rules/{code}", RulePages(library, settings.zone).__call__, methods=["GET"])
    _health(app, validator, hooks)
    _errors(app)
    _browsers(app, settings)
    settle()
    return app


def settle() -> None:
    """The knowledge lives as long as the process: the collector need not walk it again, and can wait longer between its walks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _health(app: FastAPI, validator: Validator, hooks: Door) -> None:
    @app.get("/health/live", tags=["operations"])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["operations"])
    async def ready() -> dict[str, Any]:
        """The knowledge is loaded and orders are judged. A store that is down is told; orders are judged all the same."""
        return {
            "status": "ready",
            "version": __version__,
            "knowledge": validator.library.version,
            "policy": validator.library.policy_id,
            "rules": validator.rules,
            **hooks.store.health(),
        }


def _browsers(app: FastAPI, settings: Settings) -> None:
    """Clients in browsers of the origins that are set, and no others."""
    origins = settings.listed_cors_origins
    if origins:
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415  (only where a site asks for it)

        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )


def _errors(app: FastAPI) -> None:
    """Errors in the caller's language: an OperationOutcome below /fhir and /cds-services."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if not request.url.path.startswith(("/fhir", "/cds-services")):
            return JSONResponse({"detail": error.detail}, error.status_code, headers)
        if error.status_code == METHOD_NOT_ALLOWED:
            text = (
                f"This address does not take {request.method[:10]}; it takes {headers.get('Allow', 'another method')}."
            )
        else:
            text = (
                "There is nothing at this address; the operation is POST /fhir/$validate-ivig-order, the hooks are told by "
                "GET /cds-services."
            )
        return refused(text, error.status_code, headers)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return faulted(request.url.path, error)
