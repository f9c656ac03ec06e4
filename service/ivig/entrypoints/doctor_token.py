"""`ivig doctor token FILE`: why a client's token is refused, told locally, where the door tells nobody."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ivig.entrypoints.doctor import Line, State, doctor, print_lines
from ivig.entrypoints.shell import settings_of, wrong_call

__all__ = ["doctor"]
_PATH = "/cds-services/ivig-order-check"


@doctor.command()
def token(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A file with the token, as sent or after `Bearer `; - is stdin.")
    ],
    url: Annotated[
        str, typer.Option(help="The address it was sent to (default: the hooks' at IVIG_PUBLIC_BASE_URL).")
    ] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no keys: clients with a key file alone.")] = False,
) -> None:
    """Tell, check by check, why a client's token is refused. Nothing of it is printed but what is compared; nothing is sent anywhere.

    Exit code: 0 it would be taken, 1 it would not.
    """
    settings = settings_of()
    from ivig.knowledge.pages import KnowledgeFault
    from ivig.trust.clients import DEVELOPMENT, Client, load_clients
    from ivig.trust.keys import Keys
    from ivig.trust.replay import Replay
    from ivig.trust.token import NotTrusted, Verifier
    from ivig.validator import Validator, library_of

    try:
        said = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        wrong_call(f"Cannot read {file}: {fault.strerror or type(fault).__name__}.")
    words = said.split()  # it may have been wrapped on its way here
    said = "".join(words[1:] if words and words[0].lower() == "bearer" else words)
    try:
        clients = load_clients(settings.clients, Validator(library_of(settings.policy)).rule_names)
    except KnowledgeFault as fault:
        wrong_call(f"The page of clients is faulty:\n{fault}")
    if not clients:
        typer.echo("No client is known: name the page of clients in IVIG_CLIENTS.", err=True)
        raise typer.Exit(1)
    base = settings.public_base_url.rstrip("/")
    if not url and not base:
        wrong_call("Say which address the token was sent to: --url, or set IVIG_PUBLIC_BASE_URL.")
    keys = Keys(settings.private_addresses == "allowed", offline=offline)
    verifier = Verifier((c for c in clients if c.id != DEVELOPMENT.id), keys, Replay(), time.time)
    lines: list[Line] = []

    def trace(what: str, holds: bool, seen: str) -> None:
        lines.append(Line(what, State.OK if holds else State.FAULT, seen, "" if holds else _ADVICE.get(what, "")))

    async def verify() -> Client:
        try:
            return await verifier.verify(said, url or f"{base}{_PATH}", trace)
        finally:
            await keys.aclose()

    try:
        client = asyncio.run(verify())
    except NotTrusted:
        print_lines(lines)
        typer.echo("It would be refused.")
        raise typer.Exit(1) from None
    print_lines(lines)
    typer.echo(f"It would be taken, once, as a call of {client.id}.")


_ADVICE = {
    "iss is a client's issuer": "An entry of the page of clients needs exactly this issuer.",
    "alg is one of the client's": "Sign with one of these, or add it under algorithms of the client.",
    "the key is found": "The key id, the address of the key set, or the file of keys is another than the client's page says.",
    "the key is for this alg": "The key is of another kind, or its set says that it is for another algorithm.",
    "the signature holds": "It was signed by another key than the one of this id, or changed on its way.",
    "aud is the address called": "The audience has to be the address it is sent to; others go under audience_aliases of the client.",
    "it is not over": "Make a new token for each call; or the clocks differ by more than a minute.",
    "it has been issued": "The client's clock is ahead by more than a minute.",
    "it lives no longer than an hour": "A token for one call needs minutes.",
    "the tenant is one of the client's": "Add it under tenants of the client, or leave tenants out.",
    "typ is JWT": "The header needs typ: JWT.",
    "kid is there": "The header needs kid, the id of the key.",
    "jti is there": "The claims need jti, another one for each call.",
    "exp and iat are there": "The claims need exp and iat, as numbers of seconds.",
}
