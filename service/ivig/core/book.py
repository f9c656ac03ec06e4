"""The knowledge in force on one day, as rules and facts ask for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from ivig.core.dated import UNCONFIRMED, NotInForce, Series, Value
from ivig.core.finding import Finding, Severity
from ivig.core.lexicon import Lexicon

Tree = Mapping[str, Any]


class Phase(Struct, frozen=True):
    """Doses of one phase: grams per kg of a course or cycle, accepted days with the highest day, interval of the cycles."""

    course: Value | None = None
    regimens: Value | None = None
    interval: Value | None = None


class Condition(Struct, frozen=True):
    """One line of a page's `when` or `exceptions`, of a closed set of kinds."""

    kind: str
    sets: tuple[str, ...] = ()
    scale: str = ""
    value: Value | None = None


class Criterion(Struct, frozen=True):
    """One line of a page's `criteria`."""

    kind: str
    value: Value | None = None
    strong: Value | None = None
    weak: Value | None = None
    scale: str = ""
    test: str = ""
    unit: str = ""
    unless_worsening: Value | None = None
    sets: tuple[str, ...] = ()
    otherwise: str = ""  # what meets it as well and can't be seen: then it fails for information only
    untreated: bool = False  # only a result from before the first infusion tells


class Indication(Struct, frozen=True):
    key: str
    title: str
    status: Value | None
    family: str = ""
    rank: int = 0
    urgent: bool = False
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    exceptions: tuple[Condition, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    phases: Mapping[str, Phase] = {}
    positions: tuple[tuple[str, str, str, Value], ...] = ()  # key, phase, what, value
    weight_basis: Value | None = None
    sets: frozenset[str] = frozenset()
    scales: tuple[str, ...] = ()  # test pages by which a response is followed
    taper: Value | None = None  # where it is `yes`, a smaller dose or longer interval is tried in the stable


class Label(Struct, frozen=True):
    """What a product's label says for one indication."""

    phases: Mapping[str, Phase]
    min_age: Value | None = None
    rate_initial: Value | None = None
    rate_max: Value | None = None


class Contraindication(Struct, frozen=True):
    says: str  # contraindicated | advised-against
    set: str
    age_under: Decimal | None
    unless_excluded: str
    value: Value


class Product(Struct, frozen=True):
    key: str
    title: str
    brand: str
    kind: str
    market: Value | None
    routes: Value | None
    route_limits: tuple[tuple[str, tuple[str, ...], Value], ...]
    strength: Value | None
    excipients: Value | None
    iga: Value | None
    vials: Value | None
    labels: Mapping[str, Label]
    contraindications: tuple[Contraindication, ...]
    rate_at_risk: Value | None
    own_indications: frozenset[str] = frozenset()
    own_names: tuple[tuple[str, ...], ...] = ()  # what a hyperimmune is for, in words that no page covers


class Book:
    """All pages as they stand on one day. Made by `Library.on`; kept for every day between two changes."""

    def __init__(self, library: Library, day: date) -> None:
        self._library = library
        self.day = day
        self._policy = {key: series.on(day) for key, series in library.policy.items()}
        self._indications: dict[str, Indication] = {}
        self._products: dict[str, Product] = {}
        self._formulas: dict[str, dict[str, Value | None]] = {}
        self._memory: dict[Any, Any] = {}

    @property
    def policy_id(self) -> str:
        return self._library.policy_id

    @property
    def lexicon(self) -> Lexicon:
        return self._library.lexicon

    def policy(self, key: str) -> Value:
        """The policy value of `key`.

        Raises:
            NotInForce: the policy has no value of this key on the day.
        """
        value = self._policy.get(key)
        if value is None:
            raise NotInForce(key)
        return value

    def maybe(self, key: str) -> Value | None:
        return self._policy.get(key)

    def indication(self, key: str) -> Indication:
        page = self._indications.get(key)
        if page is None:
            page = self._indications[key] = _indication(resolved(self._library.pages["indications"][key], self.day))
        return page

    def indications(self) -> tuple[str, ...]:
        return self._library.keys["indications"]

    def product(self, key: str) -> Product:
        page = self._products.get(key)
        if page is None:
            page = self._products[key] = _product(resolved(self._library.pages["products"][key], self.day))
        return page

    def products(self) -> tuple[str, ...]:
        return self._library.keys["products"]

    def polyvalent_iv(self) -> tuple[str, ...]:
        """Products one can have today that are given into a vein: what an unnamed immune globulin may be."""
        found: tuple[str, ...] = self.memory(
            "polyvalent_iv",
            lambda: tuple(
                k
                for k in self.products()
                if (p := self.product(k)).kind == "polyvalent-iv"
                and not (p.market and p.market.words and p.market.word == "withdrawn")
            ),
        )
        return found

    def coefficient(self, formula: str, name: str) -> Value:
        """A coefficient of a formula page.

        Raises:
            NotInForce: the page has none of this name on the day.
        """
        page = self._formulas.get(formula)
        if page is None:
            page = self._formulas[formula] = resolved(self._library.pages["formulas"][formula], self.day)[
                "coefficients"
            ]
        value = page.get(name)
        if value is None:
            raise NotInForce(f"{formula}.{name}")
        return value

    def test_title(self, key: str) -> str:
        page = self._library.pages["tests"].get(key)
        return str(page["title"]) if page else key

    def ordinary(self, test: str) -> Value | None:
        """What is assumed of a test while it is only on order."""
        page = self._library.pages["tests"].get(test)
        series = page.get("ordinary") if page else None
        return series.on(self.day) if isinstance(series, Series) else None

    def codes(self, kind: str, key: str) -> tuple[tuple[str, str, str], ...]:
        """System, code and words of what a page lists, in page order; those seen in their source first."""
        found: tuple[tuple[str, str, str], ...] = self.memory(
            ("codes", kind, key), lambda: _listed(self._library.pages[kind].get(key) or {})
        )
        return found

    def tests_of(self, group: str) -> tuple[str, ...]:
        """Keys of the test pages of a group, in page order."""
        found: tuple[str, ...] = self.memory(
            ("group", group),
            lambda: tuple(
                k for k in self._library.keys["tests"] if self._library.pages["tests"][k].get("group") == group
            ),
        )
        return found

    def datum_title(self, key: str) -> str:
        """The title of a test or set page, as a criterion names what it asks for."""
        return self.test_title(key) if key in self._library.pages["tests"] else self.set_title(key)

    def set_title(self, key: str) -> str:
        page = self._library.pages["sets"].get(key)
        return str(page["title"]) if page else key

    def source_title(self, key: str) -> str:
        source = self._library.sources.get(key)
        return source["title"] if source else key

    def source_url(self, key: str) -> str:
        source = self._library.sources.get(key)
        return source.get("url", "") if source else ""

    def severity_of(self, finding: Finding) -> Finding:
        """`finding` with the severity the policy gives its rule, where it gives one."""
        override = self._policy.get(f"severity.{finding.rule}")
        if override is None:
            return finding
        return structs.replace(finding, severity=Severity[override.word.upper()])

    def memory(self, key: Any, make: Any) -> Any:
        """What `make()` gave the first time for this day and key."""
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]


class Library:
    """Every page of knowledge with all its days.

    Args:
        pages: page trees by kind (`indications`, `products`, `tests`, `sets`, `formulas`) and key, with a `Series` wherever a page is dated.
        policy: the policy's keys.
        version, policy_version: content hashes, named in every report.
        changes: the days from which some value differs, in order.
    """

    def __init__(
        self,
        pages: Mapping[str, Mapping[str, Tree]],
        policy: Mapping[str, Series],
        policy_id: str,
        sources: Mapping[str, Mapping[str, str]],
        lexicon: Lexicon,
        version: str,
        policy_version: str,
        changes: list[date],
    ) -> None:
        self.pages, self.policy, self.policy_id, self.sources, self.lexicon = pages, policy, policy_id, sources, lexicon
        self.version, self.policy_version = version, policy_version
        self.keys = {kind: tuple(sorted(of_kind)) for kind, of_kind in pages.items()}
        self.changes = changes
        self._books: dict[int, Book] = {}

    def on(self, day: date) -> Book:
        """The book in force on `day`; one object for every day between two changes."""
        place = bisect_right(self.changes, day)
        book = self._books.get(place)
        if book is None:
            book = self._books[place] = Book(self, day)
        return book


def _listed(page: Tree) -> tuple[tuple[str, str, str], ...]:
    """The codes of a page, without those it says are not used."""
    unused = page.get("race_specific") or ()
    rows = [
        (row.get("seen") == UNCONFIRMED, system, str(row["code"]), str(row["words"]))
        for system, block in (page.get("codes") or {}).items()
        for row in block["list"]
        if row["code"] not in unused
    ]
    return tuple(row[1:] for row in sorted(rows, key=lambda row: row[0]))


def resolved(tree: Any, day: date) -> Any:
    """A page tree with every series replaced by its value on `day`."""
    if isinstance(tree, Series):
        return tree.on(day)
    if isinstance(tree, Mapping):
        return {k: resolved(v, day) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return tuple(resolved(v, day) for v in tree)
    return tree


def _phases(tree: Tree) -> dict[str, Phase]:
    return {
        name: Phase(below.get("course"), below.get("regimens"), below.get("interval"))
        for name, below in tree.items()
        if name in ("induction", "maintenance")
    }


def _conditions(trees: Any) -> tuple[Condition, ...]:
    return tuple(
        Condition(t["kind"], tuple(t.get("sets", ())), t.get("scale", ""), t.get("value")) for t in trees or ()
    )


def _indication(tree: Tree) -> Indication:
    when = tree.get("when") or {}
    return Indication(
        key=tree["id"],
        title=tree["title"],
        status=tree.get("status"),
        family=tree.get("family", ""),
        rank=int(tree.get("rank", "0")),
        urgent=tree.get("urgent", "no") == "yes",
        when=_conditions(when.get("any")),
        unless=_conditions(when.get("unless")),
        exceptions=_conditions(tree.get("exceptions")),
        criteria=tuple(
            Criterion(
                c["kind"],
                c.get("value"),
                c.get("strong"),
                c.get("weak"),
                c.get("scale", ""),
                c.get("test", ""),
                c.get("unit", ""),
                c.get("unless_worsening_within"),
                tuple(c.get("sets", ())),
                c.get("otherwise", ""),
                c.get("untreated", "no") == "yes",
            )
            for c in tree.get("criteria") or ()
        ),
        phases=_phases(tree.get("phases") or {}),
        positions=tuple(
            (p["key"], p.get("phase", ""), p["what"], p["value"]) for p in tree.get("positions") or () if p.get("value")
        ),
        weight_basis=tree.get("weight_basis"),
        scales=scales.words if (scales := tree.get("scales")) is not None else (),
        taper=tree.get("taper"),
    )


def _product(tree: Tree) -> Product:
    return Product(
        key=tree["id"],
        title=tree["title"],
        brand=tree["brand"],
        kind=tree["class"],
        market=tree.get("market"),
        routes=tree.get("routes"),
        route_limits=tuple((t["route"], tuple(t["only_for"]), t["value"]) for t in tree.get("route_limits") or ()),
        strength=tree.get("strength"),
        excipients=tree.get("excipients"),
        iga=tree.get("iga"),
        vials=tree.get("vials"),
        labels={
            name: Label(_phases(t), t.get("min_age"), t.get("rate_initial"), t.get("rate_max"))
            for name, t in (tree.get("labels") or {}).items()
        },
        contraindications=tuple(
            Contraindication(
                t["says"],
                t.get("set", ""),
                Decimal(t["age_under"]) if "age_under" in t else None,
                t.get("unless_excluded", ""),
                t["value"],
            )
            for t in tree.get("contraindications") or ()
        ),
        rate_at_risk=tree.get("rate_at_risk"),
        own_indications=frozenset(tree.get("own_indications_keys") or ()),
        own_names=tuple(tree.get("own_indications_names") or ()),
    )
