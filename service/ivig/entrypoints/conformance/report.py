"""What became of the checks, for people (a table), for programs (JSON) and for build servers (JUnit)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from rich.table import Table
from rich.text import Text

from ivig.entrypoints.conformance.checks import Level, Outcome, State
from ivig.entrypoints.conformance.demands import REQUEST
from ivig.entrypoints.terminal import screen
from ivig.entrypoints.wording import clean

_SHOWN = 3  # faults of a check in the table
_STYLES = {State.HELD: "green", State.BROKEN: "bold red", State.UNSEEN: "dim"}
_OF_CLIENTS = frozenset(check.id for check in REQUEST)
# XML 1.0 has no place for other control characters.
_CONTROLS = {n: "\ufffd" for n in range(32) if n not in (9, 10, 13)}


def tree(url: str, outcomes: Sequence[Outcome], calls: int) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "url": url,
        "calls": calls,
        "conformant": not failed(outcomes),
        "checks": [_row(outcome) for outcome in outcomes],
    }


def failed(outcomes: Sequence[Outcome]) -> list[str]:
    """The SHALLs of the service that do not hold. What a file given with --request lacks is not its fault."""
    return [
        o.check.id
        for o in outcomes
        if o.state == State.BROKEN and o.check.level == Level.SHALL and o.check.id not in _OF_CLIENTS
    ]


def _row(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {
        "id": check.id,
        "level": check.level.value,
        "about": "request files" if check.id in _OF_CLIENTS else "service",
        "state": outcome.state.value,
        "statement": check.statement,
        "source": check.source,
        "looked": outcome.looked,
        "broken": outcome.broken,
        "faults": [{"place": fault.place, "seen": fault.seen} for fault in outcome.faults],
    }


def junit(url: str, outcomes: Sequence[Outcome]) -> str:
    """One test case a check: a broken SHALL of the service is a failure, all else that is broken is told as output."""
    faults = set(failed(outcomes))
    unseen = sum(o.state == State.UNSEEN for o in outcomes)
    suite = ElementTree.Element("testsuite", {"name": f"CDS Hooks {url}".translate(_CONTROLS)})
    suite.attrib |= {"tests": str(len(outcomes)), "failures": str(len(faults)), "skipped": str(unseen)}
    for outcome in outcomes:
        check = outcome.check
        case = ElementTree.SubElement(suite, "testcase", classname=f"cds-hooks.{check.level.value}", name=check.id)
        text = "\n".join(f"{fault.place}: {fault.seen}" for fault in outcome.faults).translate(_CONTROLS)
        if check.id in faults:
            ElementTree.SubElement(case, "failure", message=check.statement).text = text
        elif outcome.state == State.BROKEN:
            ElementTree.SubElement(case, "system-out").text = f"{check.statement}\n{text}"
        elif outcome.state == State.UNSEEN:
            ElementTree.SubElement(case, "skipped", message="not seen")
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def show(url: str, outcomes: Sequence[Outcome], calls: int) -> None:
    """A table: all that is broken with where, all that held, and last what did not come up."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    order = [State.BROKEN, State.HELD, State.UNSEEN]
    for outcome in sorted(outcomes, key=lambda o: order.index(o.state)):
        check = outcome.check
        said = Text(check.statement)
        for fault in outcome.faults[:_SHOWN]:
            said.append(f"\n{clean(fault.place)}: {clean(fault.seen)}", style="red")
        if outcome.broken > _SHOWN:
            said.append(f"\nand {outcome.broken - _SHOWN} more", style="red")
        if outcome.broken:
            said.append(f"\n{check.source}", style="dim")
        level = check.level.value if check.id not in _OF_CLIENTS else f"{check.level.value} (file)"
        table.add_row(Text(outcome.state.value, style=_STYLES[outcome.state]), check.id, level, said)
    console = screen()
    console.print(table)
    console.print()
    faults, held = failed(outcomes), sum(o.state == State.HELD for o in outcomes)
    advised = sum(o.state == State.BROKEN for o in outcomes) - len(faults)
    verdict = f"{len(faults)} SHALL broken" if faults else "every SHALL that came up holds"
    style = "bold red" if faults else "bold green"
    console.print(Text(f"{clean(url)}: {verdict}", style=style))
    console.print(f"{held} checks held, {advised} others are broken; {calls} calls.", style="dim")
