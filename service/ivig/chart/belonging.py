"""Whether what a FHIR server sent is about the patient who was asked for: proven by reference, or it does not count.

A server that ignores a search parameter sends the data of others; nothing here takes their word for it.
"""

from __future__ import annotations

from ivig.wire import shapes

_NOBODYS = (shapes.Medication,)


def belongs(resource: shapes.Resource, base: str, patient: str) -> bool:
    """Whether a resource is the patient's, or of a kind that is about no patient.

    Args:
        base: of the server it came from, without a slash at its end.
        patient: the patient's id.
    """
    if isinstance(resource, _NOBODYS):
        return True
    if isinstance(resource, shapes.Patient):
        return resource.id == patient
    if isinstance(resource, shapes.Appointment):
        return any(_means(p.actor, base, patient) for p in resource.participant)
    return _means(getattr(resource, "subject", None) or getattr(resource, "patient", None), base, patient)


def of_use(resource: shapes.Resource) -> bool:
    """Whether the resource is of a kind that is read at all; who wrote it or where it happened is not."""
    return not isinstance(resource, shapes.OTHERS)


def _means(reference: shapes.Reference | None, base: str, patient: str) -> bool:
    """By `Patient/id`, relative or on the same server, of any version. A urn, a fragment or an identifier proves nothing."""
    if reference is None:
        return False
    return reference.reference.partition("/_history/")[0].removeprefix(f"{base}/") == f"Patient/{patient}"
