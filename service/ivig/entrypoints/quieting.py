"""What a prescriber was shown while writing an order is not shown again at signing, unless the order or what was found has changed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

import msgspec
from msgspec import structs

from ivig.core.finding import Finding
from ivig.wire import shapes

_HOURS = 24.0  # after a day the advice is news again
_MOST = 100_000  # findings remembered; the oldest are forgotten, and shown once more

Key = tuple[str, str, str]


class Quieting:
    """Remembers in this process what was shown; what is forgotten is shown again, which is the safe side.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown: OrderedDict[Key, float] = OrderedDict()

    def remember(self, whom: str, order: str, findings: Iterable[Finding]) -> None:
        """That these findings were shown.

        Args:
            whom: client and patient, in one word.
            order: the fingerprint of the order as it was.
        """
        now = self._clock()
        for finding in findings:
            key = (whom, order, _said(finding))
            self._shown.pop(key, None)
            self._shown[key] = now
        while len(self._shown) > _MOST:
            self._shown.popitem(last=False)

    def knows(self, whom: str, order: str, finding: Finding) -> bool:
        """Whether the same was said of the same order within the day."""
        at = self._shown.get((whom, order, _said(finding)))
        return at is not None and self._clock() - at < _HOURS * 3600


def _said(finding: Finding) -> str:
    """A finding by what it says: another result or another weight makes it another finding."""
    return f"{finding.rule}|{finding.about}|{finding.severity}|{finding.text()}"


def fingerprint(request: shapes.Resource) -> bytes:
    """The order as far as it says what is to be given: without its id, its status and the time it was written, which change of themselves."""
    if isinstance(request, shapes.MedicationRequest):
        request = structs.replace(request, id="", status="", authoredOn="", identifier=[])
    return msgspec.json.encode(request)
