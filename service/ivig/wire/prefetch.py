"""What came for one query of the chart, in every state there is: asked and empty, held, held in part, failed, or never asked.

A client's prefetch and what we fetch ourselves are told in the same words, so that nothing behind them has to know which it was.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ivig.wire.decode import Broken, Item

REFERENCES = "references"  # tells of the reads by reference together; no client is asked for it


class State(StrEnum):
    """What became of a query."""

    ABSENT = "absent"  # nobody ran it
    EMPTY = "empty"  # it ran, and there is nothing
    HELD = "held"  # it ran, and this is all of it
    PARTIAL = "partial"  # it ran, and there is more than came
    FAILED = "failed"  # it ran, and gave no answer that can be used


class Query(Struct, frozen=True):
    """One query of the discovery document.

    Args:
        key: its prefetch key, by the contract.
        template: as a client is told it, `Observation?patient={{context.patientId}}&...`.
        kind: the resource type it reads or searches.
        count: its `_count`; 0 for a read.
        section: the section of the chart it speaks for, '' for none.
    """

    key: str
    template: str
    kind: str
    count: int = 0
    section: str = ""

    @property
    def reads(self) -> bool:
        """Whether it reads one resource by its id; else it searches."""
        return "?" not in self.template


class Answer(Struct, frozen=True):
    """What came for one query.

    Args:
        why: of PARTIAL and FAILED, a word of the contract where one fits: `incomplete`, `timeout`, `forbidden`; else words of its own.
        items: the resources, with the paths they are told by (`prefetch.weights.entry[0].resource`).
        more: the address of the next page, '' when there is none.
        fetched: it came from the FHIR server, not with the call.
        broken: elements of the resources that could not be read, and were dropped.
    """

    key: str
    state: State
    why: str = ""
    items: tuple[Item, ...] = ()
    more: str = ""
    fetched: bool = False
    broken: tuple[Broken, ...] = ()
