"""What the reader has to know of codes, words and units: a plain type that the knowledge builds from its pages.

Codes of different systems never meet: every look-up is by system and code. ICD-10-CM matches with or without its dot, and by hierarchy
where the page says so. Words match whole, without regard to case, accents and punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

# A slash or bracket beside a word of three letters or more parts words ("ITP/bleeding", "syndrome(GBS)"); within shorter ones it is part
# of the word ("s/d", "f(ab')2"). A number ends a longer word ("Privigen10%").
_SPLIT = re.compile(r"[^a-z0-9%./()']+|(?<=[a-z]{3})[/()]+|[/()]+(?=[a-z]{3})|(?<=[a-z]{4})(?=[0-9])")
_MARKS = str.maketrans(dict.fromkeys("\u2122\u2120", " "))  # signs of a trade mark, which would fall apart into letters


@lru_cache(maxsize=65536)
def tokens(text: str) -> tuple[str, ...]:
    """`text` as lower-case words without accents. A full stop or slash within a short word stays (`s/d`, `16.5%`)."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text.translate(_MARKS)) if not unicodedata.combining(c))
    return tuple(w for w in (t.strip(".,/'()") for t in _SPLIT.split(text.lower().replace("-", " "))) if w)


class Words(Struct):
    """Names to look for in running text, and the keys each stands for."""

    first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = field(default_factory=dict)

    def add(self, name: str, key: str) -> None:
        split = tokens(name)
        if not split:
            return
        rows = self.first.setdefault(split[0], [])
        for place, (known, keys) in enumerate(rows):
            if known == split:
                if key not in keys:
                    rows[place] = (known, (*keys, key))
                return
        rows.append((split, (key,)))
        rows.sort(key=lambda row: -len(row[0]))

    def find(self, text: str) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
        """Every name that stands in `text`: its first word's place, its length in words, its keys. The longest name at a place wins."""
        split = tokens(text)
        found = []
        place = 0
        while place < len(split):
            for name, keys in self.first.get(split[place], ()):
                if split[place : place + len(name)] == name:
                    found.append((place, len(name), keys))
                    place += len(name) - 1
                    break
            place += 1
        return tuple(found)


class Codes(Struct):
    """Keys by system and code, exact and by hierarchy."""

    exact: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    below: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def add(self, system: str, code: str, key: str, below: bool = False) -> None:
        table = self.below if below else self.exact
        place = (system, plain_code(system, code))
        table[place] = (*table.get(place, ()), key)

    def find(self, system: str, code: str) -> tuple[str, ...]:
        """The keys of the nearest claim on a code: exact first, then the longest code above it."""
        exact = self.exact.get((system, code))
        if exact is not None:
            return exact
        if self.below:
            for end in range(len(code), 0, -1):
                claim = self.below.get((system, code[:end]))
                if claim is not None:
                    return claim
        return ()

    def all(self, system: str, code: str) -> tuple[str, ...]:
        """The keys of every claim on a code, exact and above."""
        found = list(self.exact.get((system, code), ()))
        if self.below:
            for end in range(1, len(code) + 1):
                found.extend(self.below.get((system, code[:end]), ()))
        return tuple(found)


def plain_code(system: str, code: str) -> str:
    """A code as it is compared: ICD without its dot, upper case; NDC as labeler-product without leading zeros."""
    if system in ("icd10cm", "icd10pcs"):
        return code.replace(".", "").strip().upper()
    if system == "ndc":
        return plain_ndc(code)
    if system == "cvx":
        return code.strip().lstrip("0") or "0"
    if system in ("hcpcs", "cpt", "atc"):
        return code.strip().upper()
    return code.strip()


def plain_ndc(code: str) -> str:
    """Labeler and product of an NDC, each without leading zeros; '' when it has no such form.

    10 digits may be split 4-4-2, 5-3-2 or 5-4-1, so an unhyphenated one of 10 digits is returned whole behind a '#', for the caller to try
    each split (`ndc_forms`). 11 digits are 5-4-2.
    """
    code = code.strip()
    if "-" in code:
        pieces = code.split("-")
        if len(pieces) not in (2, 3) or not all(p.isdigit() for p in pieces):
            return ""
        return f"{pieces[0].lstrip('0')}-{pieces[1].lstrip('0')}"
    if code.isdigit() and len(code) == 11:
        return f"{code[:5].lstrip('0')}-{code[5:9].lstrip('0')}"
    if code.isdigit() and len(code) == 10:
        return "#" + code
    return ""


def ndc_forms(plain: str) -> Iterable[str]:
    """The labeler-product forms that a plain NDC may stand for."""
    if not plain.startswith("#"):
        return (plain,)
    digits = plain[1:]
    return (
        f"{digits[:4].lstrip('0')}-{digits[4:8].lstrip('0')}",
        f"{digits[:5].lstrip('0')}-{digits[5:8].lstrip('0')}",
        f"{digits[:5].lstrip('0')}-{digits[5:9].lstrip('0')}",
    )


class TestKnown(Struct, frozen=True):
    """A test as the reader has to know it: the unit results are turned into, the units taken, and the molar factor where there is one."""

    key: str
    unit: str
    units: frozenset[str]
    molar: tuple[str, str] | None = None  # molar unit per one `unit`, and its factor as text
    kind: str = "lab"
    unused: frozenset[str] = frozenset()


class ProductKnown(Struct, frozen=True):
    key: str
    kind: str
    strengths: tuple[str, ...]
    routes: tuple[str, ...]


class Lexicon(Struct):
    systems: dict[str, str]
    units: dict[str, str]
    tests: Codes
    test_pages: dict[str, TestKnown]
    sets: Codes
    set_words: Words
    wide: Codes
    indications: Codes
    indication_words: Words
    excluded: Codes
    products: Codes
    product_words: Words
    product_pages: dict[str, ProductKnown]
    set_kinds: dict[str, str]
    join_days: int  # doses at most this far apart are one course (policy `course.join_days`)
    timed: frozenset[str] = (
        frozenset()
    )  # sets of medicines of which it matters when, and by which route, they are given
    read: dict[Any, Any] = field(
        default_factory=dict
    )  # concepts seen before, so that the same codes and words are looked up once
    medicines: dict[Any, Any] = field(default_factory=dict)
    test_codes: dict[Any, Any] = field(default_factory=dict)
    plain_tests: dict[Any, Any] = field(default_factory=dict)
    result_words: dict[Any, Any] = field(default_factory=dict)
    spoken_of: dict[Any, bool] = field(default_factory=dict)  # whether words name an immune globulin
    prose: dict[str, Any] = field(default_factory=dict)

    def system(self, url: str) -> str:
        """The short name of a code system by any of its addresses, or ''."""
        known = self.systems.get(url)
        if known is None:
            known = self.systems.get(plain_url(url), "")
            if len(self.systems) < 4096:
                self.systems[url] = known
        return known

    def test_of(self, url: str, code: str) -> str:
        """The test page of a code as it was sent, or ''."""
        key = (url, code)
        known = self.test_codes.get(key)
        if known is None:
            system = self.system(url)
            found = self.tests.all(system, plain_code(system, code)) if system else ()
            known = found[0] if found else ""
            if len(self.test_codes) < 65536:
                self.test_codes[key] = known
        return str(known)

    def unit(self, spelling: str) -> str | None:
        """The canonical unit of a spelling in the alias table, or None."""
        return self.units.get(spelling)


def plain_url(url: str) -> str:
    """A system's address as it is compared: lower case, https as http, no slash at the end."""
    url = url.strip().lower().rstrip("/")
    return "http" + url[5:] if url.startswith("https:") else url
