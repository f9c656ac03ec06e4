"""Which resource a reference means, and which patient a resource is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from ivig.core.lexicon import Lexicon
from ivig.core.order import Concept, Reason
from ivig.wire import shapes
from ivig.wire.concepts import read_concept
from ivig.wire.dates import moment
from ivig.wire.decode import Item
from ivig.wire.evidence import status_of

_POINTED_AT: dict[type, str] = {
    shapes.Patient: "Patient", shapes.Medication: "Medication", shapes.Condition: "Condition", shapes.Encounter: "Encounter",
}  # fmt: skip


def tail(reference: str) -> str:
    """A reference as `Type/id`, without base and version; a urn or a fragment as it is."""
    if not reference or reference.startswith(("urn:", "#")):
        return reference
    pieces = reference.split("/_history/", maxsplit=1)[0].rstrip("/").split("/")
    return "/".join(pieces[-2:])


class References:
    """The resources of one body by every name they go by."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.dosages: dict[str, Any] = {}  # of the judged orders, by path: they are evidence too, and read once
        self._named: dict[str, Item] = {}
        self._patients: dict[str, str] = {}
        self._baseless: dict[str, str] = {}  # those whose server is not known
        named = self._named
        for item in items:
            resource = item.resource
            kind = _POINTED_AT.get(type(resource))
            if kind is None:
                continue
            name, url = f"{kind}/{resource.id}" if resource.id else "", item.url
            if name:
                named.setdefault(name, item)
            if url:
                named.setdefault(url, item)
                if not (name and url.endswith(name)):
                    named.setdefault(tail(url), item)
            if kind == "Patient":
                self._patient(item, name)
        self.patients_sent = len(set(self._patients.values()))
        self._only = next(iter(self._patients.values())) if self.patients_sent == 1 else ""

    def _patient(self, item: Item, name: str) -> None:
        url = item.url
        names = [n for n in (name, url, tail(url) if url and not (name and url.endswith(name)) else "") if n]
        who = names[0] if names else item.path
        self._patients.update(dict.fromkeys(names or [item.path], who))
        if not url.startswith(("http:", "https:")):
            self._baseless[name] = who

    def patient_of(self, subject: shapes.Reference | None) -> str:
        """A name for the patient a resource is about; without a subject, the one patient sent."""
        if subject is None or not subject.reference:
            return self._only
        return self._sent(subject.reference) or subject.reference

    def knows_patient(self, subject: shapes.Reference) -> bool:
        """Whether a subject is one of the patients sent. One without a reference is taken as the one that was."""
        return not subject.reference or bool(self._sent(subject.reference))

    def _sent(self, reference: str) -> str:
        """The patient sent that a reference means, or ''. `Patient/1` of another server is another patient."""
        known = self._patients.get(reference)
        if known is None and reference.startswith(("http:", "https:")):
            plain = reference.partition("/_history/")[0]
            return self._patients.get(plain) or self._baseless.get(tail(reference), "")
        return known or self._patients.get(tail(reference), "")

    def patient(self, who: str) -> Item | None:
        return self._named.get(who)

    def contained_or_sent(self, reference: shapes.Reference, contained: Sequence[shapes.Contained]) -> Any:
        """The Medication or Condition a reference points to, inside the resource or in the body."""
        if reference.reference.startswith("#"):
            return next((c for c in contained if c.id == reference.reference[1:]), None)
        item = self._named.get(reference.reference) or self._named.get(tail(reference.reference))
        return item.resource if item is not None else None

    def encounter_of(self, reference: shapes.Reference | None) -> shapes.Encounter | None:
        if reference is None or not reference.reference:
            return None
        item = self._named.get(reference.reference) or self._named.get(tail(reference.reference))
        return item.resource if item is not None and isinstance(item.resource, shapes.Encounter) else None

    def reason(
        self,
        reference: shapes.Reference,
        contained: Sequence[shapes.Contained],
        lexicon: Lexicon,
        path: str,
        zone: tzinfo,
        about: str | None = None,
    ) -> Reason:
        """A reason given by reference: the condition it points to, else its display. `about`: the order's patient."""
        held = self.contained_or_sent(reference, contained)
        subject = getattr(held, "subject", None)
        if subject is not None and about is not None and self.patient_of(subject) != about:
            return Reason(Concept(""), path)  # another patient's condition is no reason of this order
        if held is None:
            words = shapes.CodeableConcept(text=reference.display)
            return Reason(read_concept(words, lexicon) if reference.display else Concept(""), path)
        verification = status_of(getattr(held, "verificationStatus", None))
        onset = moment(getattr(held, "onsetDateTime", "") or "", zone)
        return Reason(read_concept(held.code, lexicon), path, onset, verification in ("refuted", "entered-in-error"))
