"""`ivig doctor`: whether what the service stands on is in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from ivig.entrypoints.shell import settings_of

if TYPE_CHECKING:
    from ivig.settings import Settings
    from ivig.trust.clients import Client

doctor = typer.Typer(help="Whether what the service stands on is in order.", invoke_without_command=True)
_TIMEOUT_S = 5.0
_MOST_BYTES = 8 * 1024 * 1024
_R4 = ("4.0", "4.1", "4.3")


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Line(Struct, frozen=True):
    """One thing that was looked at. `advice`: what to do about it."""

    what: str
    state: State
    seen: str
    advice: str = ""


@doctor.callback(invoke_without_command=True)
def look(context: typer.Context) -> None:
    """Check settings, knowledge, clients and their keys, data directory, store and FHIR servers from here.

    Exit code: 0 all is in order, or only warnings; 1 a fault.
    """
    if context.invoked_subcommand is not None:
        return
    lines = asyncio.run(_gathered(settings_of()))
    print_lines(lines)
    raise typer.Exit(1 if any(line.state == State.FAULT for line in lines) else 0)


async def _gathered(settings: Settings) -> list[Line]:
    return [line async for line in _lines(settings)]


async def _lines(settings: Settings) -> AsyncIterator[Line]:
    from ivig.entrypoints import doctor_places as places

    if settings.auth == "off":
        yield Line("tokens", State.WARNING, "IVIG_AUTH=off", "For development only: the hooks take calls from anybody.")
    else:
        yield Line("tokens", State.OK, "asked for")
    clients: tuple[Client, ...] = ()
    for line, found in _knowledge(settings):
        clients = found or clients
        yield line
    yield _public(settings, clients)
    yield places.folder(settings)
    yield places.journal(settings)
    yield places.hash_key(settings)
    yield await places.store(settings)
    for client in clients:
        if client.issuer:
            yield await _keys(client, settings)
    servers = {s: None for c in clients for s in c.fhir_servers} | dict.fromkeys(settings.listed_fhir_servers)
    if not servers:
        yield Line("FHIR servers", State.OK, "none on the list: what a call lacks is not fetched")
    for server in servers:
        yield await _server(server, settings)


def _knowledge(settings: Settings) -> Iterator[tuple[Line, tuple[Client, ...]]]:
    from ivig.knowledge.pages import KnowledgeFault
    from ivig.trust.clients import load_clients
    from ivig.validator import Validator, library_of

    try:
        library = library_of(settings.policy)
    except KnowledgeFault as fault:
        yield Line("knowledge", State.FAULT, f"{len(fault.faults)} faults", "ivig knowledge lint lists them."), ()
        return
    yield Line("knowledge", State.OK, f"{library.version}, policy {library.policy_id} {library.policy_version}"), ()
    if not settings.clients:
        lacking = State.OK if settings.auth == "off" else State.WARNING
        advice = (
            "" if settings.auth == "off" else "Every call is answered 401: name the page of clients in IVIG_CLIENTS."
        )
        yield Line("clients", lacking, "none", advice), ()
        return
    try:
        private = settings.private_addresses == "allowed"
        clients = load_clients(settings.clients, Validator(library).rule_names, private)
    except KnowledgeFault as fault:
        yield Line("clients", State.FAULT, f"{len(fault.faults)} faults", "; ".join(map(str, fault.faults[:5]))), ()
    else:
        quiet = sum(len(c.rules) for c in clients)
        yield Line("clients", State.OK, f"{', '.join(c.id for c in clients)}; {quiet} rules quieted"), clients


def _public(settings: Settings, clients: tuple[Client, ...]) -> Line:
    if settings.public_base_url.startswith("https://"):
        return Line("public address", State.OK, settings.public_base_url)
    if settings.public_base_url:
        return Line("public address", State.WARNING, settings.public_base_url, "Clients should call by https.")
    advice = "Set IVIG_PUBLIC_BASE_URL: behind a gateway the audience of a token is not the address seen here."
    return Line(
        "public address", State.WARNING if clients else State.OK, "the one a call came to", advice if clients else ""
    )


async def _keys(client: Client, settings: Settings) -> Line:
    from ivig.trust.keys import KeyFault, Keys

    keys = Keys(settings.private_addresses == "allowed")
    try:
        found = await keys.all_of(client)
    except KeyFault as fault:
        where = client.jwks_file or next(iter(client.jwks_urls), "")
        return Line(
            f"keys of {client.id}", State.FAULT, f"{where}: {fault.reason}", "No token of this client can be verified."
        )
    finally:
        await keys.aclose()
    usable = [key for key in found if any(key.fits(a) for a in client.algorithms)]
    if not usable:
        return Line(
            f"keys of {client.id}",
            State.FAULT,
            f"{len(found)} keys, none for {', '.join(client.algorithms)}",
            "Look at algorithms.",
        )
    return Line(f"keys of {client.id}", State.OK, f"{len(usable)} of {len(found)} keys")


async def _server(base: str, settings: Settings) -> Line:
    import httpx

    from ivig import outbound

    what = f"FHIR server {base}"
    private = settings.private_addresses == "allowed"
    try:
        async with outbound.client(private=private, timeout_s=_TIMEOUT_S, most_bytes=_MOST_BYTES) as client:
            headers = {"Accept": "application/fhir+json"}
            answer = await outbound.get(client, f"{base.rstrip('/')}/metadata", headers, _MOST_BYTES)
    except outbound.NotAllowed as fault:
        return Line(
            what, State.FAULT, str(fault), "IVIG_PRIVATE_ADDRESSES=allowed lets private addresses and http be called."
        )
    except (httpx.HTTPError, OSError, outbound.TooLarge) as fault:
        return Line(what, State.FAULT, type(fault).__name__, "It cannot be reached from here.")
    try:
        told = answer.json()
        version = told.get("fhirVersion", "") if isinstance(told, dict) else ""
    except ValueError:
        return Line(
            what, State.WARNING, f"answers {answer.status_code}, and no JSON", "Its metadata should be FHIR JSON."
        )
    if not answer.is_success:
        return Line(
            what,
            State.WARNING,
            f"answers {answer.status_code}",
            "Its metadata cannot be read without a token, or it is not there.",
        )
    if not str(version).startswith(_R4):
        return Line(what, State.WARNING, f"FHIR {version or 'of no version'}", "R4 is expected.")
    return Line(what, State.OK, f"FHIR {version}")


_STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "bold red"}


def print_lines(lines: list[Line]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ivig.entrypoints.terminal import screen
    from ivig.entrypoints.wording import clean

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for line in lines:
        said = Text(clean(line.seen))
        if line.advice:
            said.append(f"\n{clean(line.advice)}", style="dim")
        table.add_row(Text(line.state.value, style=_STYLES[line.state]), clean(line.what), said)
    screen().print(table)
