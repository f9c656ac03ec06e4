"""An FcRn blocker is taken together with immune globulin, or too close to it.

What it checks    Efgartigimod, rozanolixizumab, nipocalimab, batoclimab: running during the order, given within days
                  before its first infusion, or planned to begin before as many days after its last have passed.
Why it matters    These drugs make the body clear its IgG, and with it the immune globulin just infused; immune globulin in
                  turn dilutes them. In maintenance each undoes the other. In a crisis rescue treatment need not wait.
Example           Efgartigimod given ten days before monthly immune globulin: a warning; an error under a policy that bars it.
Does not cover    How much of the effect is lost; other antibodies that an FcRn blocker lowers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.facts.medicines import Use, called, inputs_of, nearest
from ivig.core.facts.partners import barred
from ivig.core.facts.running import Run
from ivig.core.finding import WARNING, Finding, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="interaction-fcrn-blocker",
    severity=WARNING,
    says="{drug} {when}: it clears immune globulin; consider not giving both together",
    consider="Consider which of the two the patient needs now, and an interval between them: each lowers the other. "
    "An established FcRn blocker is a reason to review why immune globulin is added.",
)
_RESCUE = "{drug} {when}: no reason to withhold rescue, though it clears immune globulin"


def concerns(drug_sets: Seen[str]) -> bool:
    return "fcrn_blocker" in drug_sets.items


def check(
    order: Order, fcrn_close: Seen[Use], first_day: date, own_run: Run, upkeep: bool, rescue: bool, book: Book
) -> Iterator[Finding]:
    close = fcrn_close.items
    if not close:
        return
    window, use = book.policy("interaction.fcrn_days"), nearest(close, first_day, own_run.sure)
    severity, block = barred(upkeep, book)
    ago = use.apart(first_day, own_run.sure)
    free = () if use.last is None or rescue else (later(use.last, window.number + 1),)
    yield rule.finding(
        at=(order.path, *(u.drug.path for u in close)),
        severity=severity,
        says=_RESCUE if rescue else None,
        sums=(*(u.span(first_day) for u in close), _apart(use, ago, plain(window.number))),
        inputs=inputs_of(close),
        cites=(window, *block),
        assumed=tuple(u.assumed for u in close if u.assumed),
        consider=tuple(f"From {day} on, immune globulin would lie outside the interval." for day in free),
        drug=called(use.drug),
        when=use.when(first_day),
    )


def content(fcrn_uses: Seen[Use], first_day: date, own_run: Run, book: Book) -> str:
    """How far the nearest dose lies from the order."""
    if not fcrn_uses.items:
        return "no FcRn blocker"
    use = nearest(fcrn_uses.items, first_day, own_run.sure)
    looked = plain(book.policy("interaction.fcrn_days").number)
    return _apart(use, use.apart(first_day, own_run.sure), looked)


def _apart(use: Use, days: int, looked: str) -> str:
    lies = f"{days} days from" if days else "in use together with"
    return f"{called(use.drug)} {lies} immune globulin; {looked} days before and after are looked at"
