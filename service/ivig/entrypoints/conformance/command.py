"""`ivig conform URL`: any CDS Hooks service held against the specification."""

from __future__ import annotations

import json
import sys
import time
import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from xml.sax.saxutils import escape, quoteattr

import typer

from ivig.entrypoints.conformance.catalogue import checks
from ivig.entrypoints.conformance.checks import Ledger, Level, Outcome, State
from ivig.entrypoints.conformance.probes import Prober, Signer
from ivig.entrypoints.shell import wrong_call

_UNREACHABLE = 2
_MINUTES_S = 300


class ConformFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def conform(
    url: Annotated[str, typer.Argument(help="The address that /cds-services lies below.")],
    request: Annotated[
        list[Path] | None, typer.Option(help="A call of your own to send too; can be given again.")
    ] = None,
    token_key: Annotated[Path | None, typer.Option(help="A private key (PEM); every call is then signed.")] = None,
    issuer: Annotated[str, typer.Option(help="iss of the tokens.")] = "",
    kid: Annotated[str, typer.Option(help="The id of the key.")] = "",
    algorithm: Annotated[str, typer.Option(help="RS384 or ES384.")] = "RS384",
    fhir_server: Annotated[str, typer.Option(help="fhirServer of the calls.")] = "",
    crd: Annotated[
        bool, typer.Option("--crd", help="Also what Da Vinci CRD asks for; a plain service fails it by design.")
    ] = False,
    version: Annotated[str, typer.Option(help="2.0 or 3.0.")] = "2.0",
    form: Annotated[
        ConformFormat, typer.Option("--format", help="A table, JSON, or JUnit's XML.")
    ] = ConformFormat.TEXT,
    timeout: Annotated[float, typer.Option(min=0.1, max=120, help="Seconds to wait for an answer.")] = 10,
) -> None:
    """Hold a running CDS Hooks service, ours or another, against the specification: some dozens of calls, with a made-up patient.

    Exit code: 0 all that is asked for holds (SHALL), 1 something does not, 2 the service cannot be reached.
    """
    import httpx

    requests = [(path.name, _body(path)) for path in request or ()]
    signer = _signer(token_key, issuer, kid, algorithm) if token_key is not None else None
    ledger = Ledger(checks(crd))
    try:
        with httpx.Client(timeout=timeout, trust_env=False) as client:
            Prober(client, url, ledger, signer, version, fhir_server).run(requests)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        typer.echo(f"{url} cannot be reached: {type(fault).__name__}.", err=True)
        raise typer.Exit(_UNREACHABLE) from None
    {ConformFormat.TEXT: _print, ConformFormat.JSON: _print_json, ConformFormat.JUNIT: _print_junit}[form](ledger)
    raise typer.Exit(1 if ledger.broken(Level.SHALL) else 0)


def _body(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError) as fault:
        wrong_call(f"Cannot read {path}: {type(fault).__name__}.")
    if not isinstance(body, dict):
        wrong_call(f"{path} is no CDS Hooks call.")
    return body


def _signer(key: Path, issuer: str, kid: str, algorithm: str) -> Signer:
    import jwt

    if not issuer or not kid:
        wrong_call("--token-key needs --issuer and --kid beside it.")
    try:
        text = key.read_text()
        jwt.encode({}, text, algorithm)
    except (OSError, ValueError, NotImplementedError, jwt.PyJWTError) as fault:
        wrong_call(f"Cannot sign with {key} by {algorithm}: {type(fault).__name__}.")

    def sign(url: str) -> str:
        now = int(time.time())
        claims = {"iss": issuer, "aud": url, "iat": now, "exp": now + _MINUTES_S, "jti": str(uuid.uuid4())}
        return jwt.encode(claims, text, algorithm, {"kid": kid, "typ": "JWT"})

    return sign


_STYLES = {State.HELD: "green", State.BROKEN: "bold red", State.UNSEEN: "dim"}


def _print(ledger: Ledger) -> None:
    from rich.table import Table
    from rich.text import Text

    from ivig.entrypoints.terminal import screen
    from ivig.entrypoints.wording import clean

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "check", "level", "statement"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("", "check", "level"))
    for outcome in ledger.outcomes:
        check = outcome.check
        style = "yellow" if outcome.state == State.BROKEN and check.level == Level.SHOULD else _STYLES[outcome.state]
        said = Text(check.statement)
        for fault in outcome.faults[:3]:
            said.append(f"\n{clean(f'{fault.place}: {fault.seen}'[:240])}", style="red")
        table.add_row(Text(outcome.state.value, style=style), check.id, check.level.value, said)
    console = screen()
    console.print(table)
    counts = {state: sum(1 for o in ledger.outcomes if o.state == state) for state in State}
    console.print()
    console.print(", ".join(f"{count} {state.value}" for state, count in counts.items()))


def _row(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    faults = [{"place": f.place, "seen": f.seen} for f in outcome.faults]
    told = {"id": check.id, "level": check.level.value, "statement": check.statement, "source": check.source}
    return told | {"state": outcome.state.value, "looked": outcome.looked, "broken": outcome.broken, "faults": faults}


def _print_json(ledger: Ledger) -> None:
    sys.stdout.write(json.dumps({"checks": [_row(o) for o in ledger.outcomes]}, indent=2) + "\n")


def _print_junit(ledger: Ledger) -> None:
    rows = []
    for outcome in ledger.outcomes:
        faults = "".join(f"{f.place}: {f.seen}\n" for f in outcome.faults)
        inner = {
            State.HELD: "",
            State.UNSEEN: "<skipped/>",
            State.BROKEN: f"<failure message={quoteattr(outcome.check.statement)}>{escape(faults)}</failure>",
        }[outcome.state]
        rows.append(
            f"<testcase classname={quoteattr(outcome.check.level.value)} name={quoteattr(outcome.check.id)}>{inner}</testcase>"
        )
    failures = len(ledger.broken())
    head = f'<testsuite name="CDS Hooks" tests="{len(rows)}" failures="{failures}">'
    sys.stdout.write("\n".join(('<?xml version="1.0" encoding="UTF-8"?>', head, *rows, "</testsuite>")) + "\n")
