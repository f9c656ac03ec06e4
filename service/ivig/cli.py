"""The command line: `ivig check`, `serve`, `explain`, `knowledge`, `settings`, and what goes with the hooks.

Commands import what they need themselves, so that `ivig --help` does not wait for the web framework.
"""

from __future__ import annotations

import gc
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ivig import __version__
from ivig.entrypoints.conformance.command import conform
from ivig.entrypoints.doctor_token import doctor  # with its command `token`
from ivig.entrypoints.feedback_commands import feedback_app, store_app
from ivig.entrypoints.knowledge_commands import knowledge
from ivig.entrypoints.shell import (
    CRASHED,
    NOT_SET_UP,
    WRONG_CALL,
    DayOption,
    Format,
    PolicyOption,
    chosen,
    day_of,
    faulty,
    library_by,
    settings_of,
    wrong_call,
)

if TYPE_CHECKING:
    from ivig.core.book import Library
    from ivig.entrypoints.files import Checked
    from ivig.settings import Settings

app = typer.Typer(
    name="ivig",
    help="Judges orders for intravenous immune globulin: FHIR in, OperationOutcome out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with its variables would show patients' data
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.add_typer(knowledge, name="knowledge")
app.add_typer(doctor, name="doctor")
app.add_typer(feedback_app, name="feedback")
app.add_typer(store_app, name="store")
app.command()(conform)


def main() -> NoReturn:
    """The command `ivig`."""
    gc.disable()  # until the knowledge is loaded: what is made by then stays, and the collector would only count it
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as fault:
        show = getattr(fault, "show", None)
        if show is not None:
            show()
        code = WRONG_CALL
    except typer.Abort:
        code = 130
    except BrokenPipeError:  # the reader of our output has gone, `ivig explain | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except Exception as fault:  # noqa: BLE001  (the last stand: the place of the fault, none of the data in it)
        code = _crashed(fault)
    finally:
        gc.enable()
    sys.exit(code if isinstance(code, int) else 0)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ivig-order-check {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


# -- check ------------------------------------------------------------------------------------------------------------


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="FHIR Bundles or Parameters in JSON; - is stdin.")],
    form: Annotated[Format, typer.Option("--format", help="Text to read, or the OperationOutcome.")] = Format.TEXT,
    policy: PolicyOption = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Judge as of this day (default: the day the order was written)."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every reason in full, and every rule.")] = False,
) -> None:
    """Judge the immune globulin orders in files.

    Exit code: 0 clear or advise, 1 stop, 2 cannot-tell, 3 unreadable,
    4 no immune globulin order; for several files the gravest, in the order
    3, 1, 2, 4, 0. Other codes: 64 wrong call, 70 fault in the service,
    78 faulty settings or knowledge.
    """
    settings = settings_of()
    library = library_by(chosen(policy))
    from ivig.entrypoints.files import check as judge_file
    from ivig.entrypoints.files import gravest
    from ivig.validator import Validator

    validator = Validator(library, _log_crash)
    now, on = datetime.now(UTC), day.date() if day else None
    done: list[Checked] = []
    for name in files:
        done.append(judge_file(name, validator, settings, on, now, bool(policy), verbose))
        if form == Format.TEXT:
            _print_text(done[-1], library, len(files) > 1, verbose)
    if form == Format.JSON:
        _print_json(done)
    elif len(done) > 1:
        _print_summary(done)
    raise typer.Exit(gravest([one.exit for one in done]))


@app.command()
def sheet(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="FHIR Bundles or Parameters in JSON; - is stdin.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file to write (default: standard output).")
    ] = None,
    policy: PolicyOption = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Judge as of this day (default: the day the order was written)."),
    ] = None,
) -> None:
    """Print a verification sheet for each order: an HTML page to check, print and sign.

    Exit code: as of `ivig check`.
    """
    settings = settings_of()
    library = library_by(chosen(policy))
    from ivig.entrypoints.files import check as judge_file
    from ivig.entrypoints.files import gravest
    from ivig.entrypoints.sheet import render
    from ivig.validator import Validator

    validator = Validator(library, _log_crash)
    now, on = datetime.now(UTC), day.date() if day else None
    done = [judge_file(name, validator, settings, on, now, bool(policy)) for name in files]
    for one in done:
        if one.report is None:
            typer.echo(f"Unreadable: {one.fault}", err=True)
    read = [(one.report, one.orders, one.broken) for one in done if one.report is not None]
    if read:
        page = render(read, now.astimezone(settings.zone), library)
        if out is None:
            sys.stdout.buffer.write(page.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        else:
            try:
                out.write_bytes(page.encode("utf-8", "replace"))
            except OSError as fault:
                wrong_call(
                    f"Cannot write {out}: {fault.strerror or type(fault).__name__}. Choose another file with --out."
                )
            typer.echo(f"written: {out}", err=True)
    raise typer.Exit(gravest([one.exit for one in done]))


def _print_text(one: Checked, library: Library, several: bool, verbose: bool) -> None:
    from ivig.entrypoints.terminal import render, screen
    from ivig.entrypoints.wording import clean

    console = screen()
    if several:
        console.rule(clean(Path(one.name).name), align="left", style="dim")
        console.print()
    if one.report is None:
        console.print(f"Unreadable: {clean(one.fault)}", style="bold red")
        console.print()
    else:
        render(one.report, one.library or library, console, one.orders, one.broken, verbose)


def _print_summary(done: list[Checked]) -> None:
    from ivig.entrypoints.terminal import render_verdicts, screen

    render_verdicts([(Path(one.name).name, one.report) for one in done], screen())


def _print_json(done: list[Checked]) -> None:
    import msgspec

    from ivig.wire.outcome import encode

    told = [encode(one.outcome) for one in done]
    whole = told[0] if len(told) == 1 else b"[" + b",".join(told) + b"]"
    sys.stdout.buffer.write(msgspec.json.format(whole, indent=2) + b"\n")
    sys.stdout.buffer.flush()


def _log_crash(rule: str, kind: str) -> None:
    typer.echo(f"The rule {rule} has a fault ({kind}); it was not judged.", err=True)


# -- serve ------------------------------------------------------------------------------------------------------------


def _free(host: str, port: int) -> None:
    """That nothing listens there yet, told before the knowledge is loaded."""
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            typer.echo(f"Cannot listen on {host}:{port} ({taken.strerror}). Choose another port with --port.", err=True)
            raise typer.Exit(NOT_SET_UP) from None


def _about_clients(settings: Settings) -> list[str]:
    """What is said at start-up of who may call the hooks."""
    if settings.auth == "off":
        return ["IVIG_AUTH=off: the hooks take calls from anybody, without a token. For development only."]
    if not settings.clients:
        return ["No client may call the hooks: name them in IVIG_CLIENTS (or, to try it, set IVIG_AUTH=off)."]
    return []


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
) -> None:
    """Serve the FHIR operation and the CDS Hooks over HTTP until Ctrl-C."""
    for line in _about_clients(settings_of()):
        typer.echo(line, err=True)
    _free(host, port)
    import uvicorn

    from ivig.knowledge.pages import KnowledgeFault

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
            await super().startup(sockets)  # type: ignore[arg-type]
            gc.enable()
            if self.started:
                at = self.servers[0].sockets[0].getsockname()
                place = f"[{at[0]}]" if ":" in at[0] else at[0]
                typer.echo(f"ivig-order-check {__version__} is ready at http://{place}:{at[1]}", err=True)

    config = uvicorn.Config(
        "ivig.app:create_app",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    try:
        Server(config).run()
    except KnowledgeFault as fault:
        faulty(fault)


# -- explain ----------------------------------------------------------------------------------------------------------


@app.command()
def explain(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A rule, an indication or a product; without it all rules are listed."),
    ] = None,
    policy: PolicyOption = None,
    on: DayOption = None,
) -> None:
    """Say what a rule checks, why, by which numbers and what it needs, of a policy, on a day; or what a page of knowledge holds.

    For instance `ivig explain weight-wrong-basis --policy ontario --on 2026-11-25`, `ivig explain cidp`.
    """
    from ivig.entrypoints import explanation, reference
    from ivig.entrypoints.terminal import render_page, render_reference, render_rules, screen

    console = screen()
    if name is None:
        render_rules(explanation.listed(), console)
        return
    library, today, asked = library_by(chosen(policy)), day_of(on), name
    name = name.strip().lower()
    try:
        if name in explanation.names():
            render_page(explanation.page(name, library, today), library, console, on is not None)
        else:
            render_reference(reference.reference(name, library, today), library, console)
    except LookupError:
        close = explanation.closest(name, reference.keys(library))
        also = f" Did you mean: {', '.join(close)}?" if close else ""
        typer.echo(f"There is no rule, indication or product {asked}.{also}", err=True)
        typer.echo("`ivig explain` lists all rules.", err=True)
        raise typer.Exit(2) from None


# -- knowledge, settings ----------------------------------------------------------------------------------------------


@app.command()
def settings() -> None:
    """List all settings: the name in the environment, the value, the default, the meaning."""
    from rich.table import Table

    from ivig.entrypoints.terminal import screen
    from ivig.entrypoints.wording import clean
    from ivig.settings import listed

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("setting", "value", "default", "meaning"):
        table.add_column(heading, overflow="fold")
    for row in listed(settings_of()):
        table.add_row(*map(clean, row))
    screen().print(table)


# -- a fault of ours -----------------------------------------------------------------------------------------------------


def _crashed(fault: Exception) -> int:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "an unknown place"
    typer.echo(f"The service has a fault: {type(fault).__name__} at {place}", err=True)
    return CRASHED
