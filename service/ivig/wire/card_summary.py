"""The summary of a card: one sentence that says what is wrong with what, in less than 140 characters."""

from __future__ import annotations

from collections.abc import Sequence

from ivig.core.finding import LONGEST
from ivig.core.grounds import Grounds
from ivig.wire.card_markdown import one_line

_LONGEST_NAME = 45
_SHORTEST = 30  # of a sentence that is cut


def summary(sentence: str, more: int, place: int, grounds: Grounds) -> str:
    """The worst finding's sentence, led by product and indication as far as there is room and it does not name them itself.

    Args:
        more: how many findings there are beside it.
        place: of the order in its report.
    """
    said = one_line(sentence).rstrip(".")
    tail = f" (+{more} more)" if more else ""
    for names in _leads(place, grounds):
        lead = ", ".join(name for name, key in names if name and key.casefold() not in said.casefold())
        whole = f"{lead}: {said}{tail}" if lead else f"{said}{tail}"
        if len(whole) <= LONGEST:
            return whole
    return f"{_cut(said, LONGEST - len(tail))}{tail}"


def _leads(place: int, grounds: Grounds) -> Sequence[tuple[tuple[str, str], ...]]:
    """What may stand before the sentence, the most telling first: names, each with what shows that the sentence has it already."""
    product, page = grounds.fact(place, "product"), grounds.fact(place, "indication")
    ordered = product.title if product is not None else one_line(grounds.orders[place].medication)
    name = ordered if len(ordered) <= _LONGEST_NAME else f"{ordered[: _LONGEST_NAME - 1].rstrip()}…"
    reason = page.title if page is not None else ""
    of_product, of_reason = (name, product.brand if product is not None else name), (reason, reason)
    return (of_product, of_reason), (of_product,), ()


def _cut(sentence: str, room: int) -> str:
    """A sentence in at most `room` characters, cut between two words."""
    if len(sentence) <= room:
        return sentence
    kept = sentence[: room - 1]
    whole_words = kept.rpartition(" ")[0]
    return f"{(whole_words if len(whole_words) >= _SHORTEST else kept).rstrip(' ,;:')}…"
