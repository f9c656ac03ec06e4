"""At risk: a renal or a thrombotic finding at warning. The rules of risk and of rate ask the same fact."""

from __future__ import annotations

from ivig.core.book import Book, Product
from ivig.core.facts.ceilings import Held
from ivig.core.facts.renal import Renal
from ivig.core.facts.signs import Sign
from ivig.core.facts.thrombosis import Clots, Thrombosis
from ivig.core.finding import WARNING, Absent, Severity, plain
from ivig.core.rule import Maybe, Seen, fact


@fact
def at_risk(
    renal_finding: Seen[Renal],
    renal_severity: Severity | None,
    thrombosis_finding: Seen[Thrombosis],
    thrombosis_severity: Severity | None,
    clots: Clots,
    book: Book,
) -> Seen[Sign]:
    """The signs of every such finding. Lacking, where there is none: what might make one a warning."""
    signs: list[Sign] = []
    if renal_severity == WARNING:
        signs.extend(s for found in renal_finding.items for s in found.signs)
    if thrombosis_severity == WARNING:
        signs.extend(s for found in thrombosis_finding.items for s in found.signs)
    if signs:
        return Seen(tuple(signs))
    lacking = (*renal_finding.lacking, *clots.open_for(book.policy("thrombosis.factors").number))
    return Seen((), tuple(dict.fromkeys(lacking)) if lacking else ())


@fact
def at_risk_rate(risk_rate: Seen[Held], at_risk: Seen[Sign]) -> Seen[tuple[Held, tuple[Sign, ...]]]:
    """The rate above the label's number at risk, of a patient who is, with the signs of it."""
    held = risk_rate.items[0] if risk_rate.items else None
    if held is not None:
        return Seen(((held, at_risk.items),) if at_risk.items else (), at_risk.lacking)
    if not risk_rate.lacking or (not at_risk.items and not at_risk.lacking):
        return Seen(())
    return Seen((), tuple(dict.fromkeys((*risk_rate.lacking, *at_risk.lacking))))


def slowly(product: Maybe[Product]) -> str:
    """What the label says of rates at risk, as advice: its number, or in words where it gives none."""
    if isinstance(product, Absent):
        return "The slowest practicable rate; some labels give a lower ceiling at risk."
    value = product.rate_at_risk
    if value is None:
        return f"The label of {product.brand} gives no number at risk: the slowest practicable rate."
    return f"The label of {product.brand} gives at most {plain(value.number)} {value.unit} at risk; slower where practicable."


@fact
def slowest(at_risk: Seen[Sign], product: Maybe[Product]) -> tuple[str, ...]:
    """The same, of a patient at risk; nothing of others."""
    return (slowly(product),) if at_risk.items else ()
