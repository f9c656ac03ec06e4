"""What could be ordered beside: premedication, aspirin, a haemoglobin check, respiratory monitoring."""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.change import OrderedDrug, OrderedTest
from ivig.core.dated import later
from ivig.core.facts.running import Run
from ivig.core.lexicon import plain_code
from ivig.core.order import Concept
from ivig.core.remedy import Candidate, clears

_HOURS = 24


def concept_of(kind: str, key: str, book: Book) -> Concept | None:
    """A page's first code and words, as the reader would read them; None where the page has no code."""
    listed = [row for row in book.codes(kind, key) if row[0] != "icd10cm"]
    if not listed:
        return None
    system, code, words = listed[0]
    lexicon, plain = book.lexicon, plain_code(system, code)
    sets = set(lexicon.sets.all(system, plain))
    sets.update(name for _, _, keys in lexicon.set_words.find(words) for name in keys)
    return Concept(words, ((system, plain),), frozenset(sets), tests=tuple(lexicon.tests.all(system, plain)))


def drug(key: str, book: Book) -> OrderedDrug | None:
    concept = concept_of("sets", key, book)
    return OrderedDrug(key, concept.text, concept) if concept is not None else None


@clears("adjunct-premedication-missing")
def premedication(book: Book) -> Iterator[Candidate]:
    """One medicine where one suffices, else both, with a steroid where an earlier reaction asks for one."""
    known = [d for key in ("paracetamol", "antihistamine") if (d := drug(key, book)) is not None]
    steroid = drug("systemic_steroid", book)
    for one in known:
        yield Candidate((one,))
    yield Candidate(tuple(known))
    if steroid is not None:
        named = f"a systemic steroid, for instance {steroid.title}"
        yield Candidate((steroid,), f"add {named}")
        yield Candidate((*known, steroid), ", ".join(f"add {d.title}" for d in known) + f", add {named}")


@clears("adjunct-aspirin-missing")
def aspirin(book: Book) -> Iterator[Candidate]:
    one = drug("aspirin", book)
    if one is not None:
        yield Candidate((one,))


@clears("adjunct-haemoglobin-check-missing")
def haemoglobin(own_run: Run, book: Book) -> Iterator[Candidate]:
    """On the first whole day within the hours after the last dose in which a fall shows."""
    concept = concept_of("tests", "haemoglobin", book)
    if concept is None:
        return
    least, most = book.policy("haemolysis.check_from_hours"), book.policy("haemolysis.check_to_hours")
    days = -(-int(least.number) // _HOURS)
    on = later(own_run.last_dose, days)
    because = f"{least.number} to {most.number} hours after the last dose"
    yield Candidate((OrderedTest("haemoglobin", "haemoglobin", concept, on),), because=because)


@clears("adjunct-respiratory-monitoring-missing")
def breathing(book: Book) -> Iterator[Candidate]:
    concept = concept_of("sets", "respiratory_monitoring", book)
    if concept is not None:
        yield Candidate((OrderedTest("respiratory_monitoring", "vital capacity, repeatedly", concept),))
