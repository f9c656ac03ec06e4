"""`ivig conform URL`: what every CDS Hooks service has to keep, looked at in a live one, ours or another's."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ivig.entrypoints.shell import wrong_call

if TYPE_CHECKING:
    from ivig.entrypoints.conformance.caller import Signer

_BROKEN, _UNREACHABLE = 1, 2


class Version(StrEnum):
    """Which CDS Hooks the client speaks that is played."""

    TWO = "2.0"
    THREE = "3.0"


class ReportFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def conform(
    url: Annotated[str, typer.Argument(metavar="URL", help="The base address: what stands before /cds-services.")],
    request: Annotated[
        list[Path] | None,
        typer.Option("--request", metavar="FILE", help="A call (or feedback) of yours to send as well; repeatable."),
    ] = None,
    token_key: Annotated[
        Path | None,
        typer.Option("--token-key", metavar="FILE", help="A private key, PEM or JWK, to sign tokens with."),
    ] = None,
    issuer: Annotated[str, typer.Option(help="The iss of the tokens.")] = "",
    kid: Annotated[str, typer.Option(help="The kid of the tokens' key.")] = "",
    algorithm: Annotated[str, typer.Option(help="What the tokens are signed with.")] = "RS384",
    fhir_server: Annotated[
        str, typer.Option("--fhir-server", metavar="URL", help="A FHIR server, open to the service, to tell in calls.")
    ] = "",
    crd: Annotated[bool, typer.Option("--crd", help="Also what Da Vinci CRD asks for.")] = False,
    version: Annotated[Version, typer.Option(help="The CDS Hooks that is spoken.")] = Version.TWO,
    form: Annotated[ReportFormat, typer.Option("--format", help="How the outcome is told.")] = ReportFormat.TEXT,
    timeout: Annotated[float, typer.Option(min=0.1, max=300, help="Seconds to wait for an answer.")] = 15.0,
) -> None:
    """Check a live CDS Hooks service, with patients that are made up: discovery, calls, cards, prefetch, errors, feedback, tokens.

    It sends feedback about the cards it gets: for a test system, not one in
    clinical use. Exit code: 0 every SHALL holds, 1 some do not, 2 the service
    cannot be reached, or not without a token, 64 wrong call.
    """
    if not url.startswith(("http://", "https://")):
        wrong_call(f"{url} is no address: it begins with https:// (or http://).")
    files = [(path.name, _parsed(path)) for path in request or ()]
    signer = _signer(token_key, issuer, kid, algorithm) if token_key is not None else None
    from ivig.entrypoints.conformance import report
    from ivig.entrypoints.conformance.caller import Caller, Unreachable
    from ivig.entrypoints.conformance.checks import Ledger
    from ivig.entrypoints.conformance.run import Look, checks_of, look_at

    ledger = Ledger(checks_of(crd))
    with Caller(url, signer, timeout) as caller:
        look = Look(caller, ledger, version.value, crd, fhir_server)
        try:
            look_at(look, files)
        except Unreachable as fault:
            typer.echo(str(fault), err=True)
            raise typer.Exit(_UNREACHABLE) from None
        outcomes, calls = ledger.outcomes, caller.calls
    if form == ReportFormat.TEXT:
        report.show(url, outcomes, calls)
    elif form == ReportFormat.JSON:
        _write(json.dumps(report.tree(url, outcomes, calls), indent=2, ensure_ascii=False))
    else:
        _write(report.junit(url, outcomes))
    raise typer.Exit(_BROKEN if report.failed(outcomes) else 0)


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as fault:
        wrong_call(f"Cannot read {path}: {fault.strerror or type(fault).__name__}.")
    except (ValueError, RecursionError):
        wrong_call(f"{path} is not JSON.")


def _signer(file: Path, issuer: str, kid: str, algorithm: str) -> Signer:
    from ivig.entrypoints.conformance.caller import Signer

    if not issuer or not kid:
        wrong_call("--token-key needs --issuer and --kid beside it.")
    try:
        return Signer.of(file, issuer, kid, algorithm)
    except OSError as fault:
        wrong_call(f"Cannot read {file}: {fault.strerror or type(fault).__name__}.")
    except ValueError as fault:
        wrong_call(f"{file} cannot sign: {fault}.")
