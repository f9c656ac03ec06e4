"""The knowledge in force on one day, as rules and facts ask for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from ivig.core.dated import UNCONFIRMED, NotInForce, Series, Value
from ivig.core.lexicon import Lexicon
from ivig.core.override_reasons import OverrideReasons
from ivig.core.overrides import OFF, PREFIX
from ivig.core.positions import Phase, Position, choose

__all__ = ["Book", "Library", "Phase", "Policy", "UnknownPolicy", "resolved"]

Tree = Mapping[str, Any]
ALIASES = {"us_default": "us-default"}  # policies by an earlier name
NO_REASONS = OverrideReasons()


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
    positions: tuple[Position, ...] = ()
    chosen: frozenset[tuple[str, str]] = frozenset()  # phase and what the policy took from a position
    displaced: tuple[Phase, ...] = ()  # the page's own doses in whose place these are
    weight_basis: Value | None = None
    sets: frozenset[str] = frozenset()
    scales: tuple[str, ...] = ()  # test pages by which a response is followed
    taper: Value | None = None  # where it is `yes`, a smaller dose or longer interval is tried in the stable
    why: str = ""
    review: str = ""
    alternatives: str = ""
    monitoring: str = ""
    statements: tuple[str, ...] = ()


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


class _InForce(dict[str, Value]):
    """The values of a policy on a day."""

    def __missing__(self, key: str) -> Value:
        raise NotInForce(key)


class Book:
    """All pages as they stand on one day. Made by `Library.on`; kept for every day between two changes.

    `policy(key)` gives the policy's value of a key, and `maybe(key)` None where there is none on the day; without one,
    `policy` raises `NotInForce`. Rules ask so often that both are the dictionary's own.
    """

    def __init__(self, library: Library, day: date) -> None:
        self._library = library
        self.day = day
        held = ((key, series.on(day)) for key, series in library.policy.items())
        self._policy = _InForce((key, value) for key, value in held if value is not None)
        self.policy: Callable[[str], Value] = self._policy.__getitem__
        self.maybe: Callable[[str], Value | None] = self._policy.get
        # Severities that the policy gives to rules, and the rules that it silences.
        self.severities = {
            key.removeprefix(PREFIX): value for key, value in self._policy.items() if key.startswith(PREFIX)
        }
        self.silenced = frozenset(rule for rule, value in self.severities.items() if value.word == OFF)
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

    def indication(self, key: str) -> Indication:
        page = self._indications.get(key)
        if page is None:
            page = self._indications[key] = self._chosen(
                _indication(resolved(self._library.pages["indications"][key], self.day))
            )
        return page

    def _chosen(self, page: Indication) -> Indication:
        """`page` with the positions that the policy chooses, for this indication or for all."""
        views = self._policy.get(f"positions.{page.key}") or self._policy.get("positions")
        if views is None or not views.words or not page.positions:
            return page
        held = (page.status, page.weight_basis, page.phases, page.positions)
        made = choose(page.key, *held, views.words, self.policy_id)
        return structs.replace(
            page,
            status=made.status,
            weight_basis=made.weight_basis,
            phases=made.phases,
            chosen=made.chosen,
            displaced=made.displaced,
        )

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
        """Products one can have on the day that are given into a vein: what an unnamed immune globulin may be."""
        found: tuple[str, ...] = self.memory(
            "polyvalent_iv",
            lambda: tuple(
                k
                for k in self.products()
                if (p := self.product(k)).kind == "polyvalent-iv"
                and p.market is not None
                and not (p.market.words and p.market.word == "withdrawn")
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

    def memory(self, key: Any, make: Any) -> Any:
        """What `make()` gave the first time for this day and key."""
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]


class Policy(Struct, frozen=True):
    """A policy as orders are judged by it: every key of the defaults, with what this policy states otherwise.

    Args:
        stated: the keys that its own page states.
        version: content hash of its page and of the defaults, named in every report.
    """

    id: str
    title: str
    keys: Mapping[str, Series]
    stated: frozenset[str]
    version: str
    reviewed: str = ""
    due: str = ""

    @property
    def join_days(self) -> int:
        """How far apart doses of one course lie at most: what the reader of orders has to know of a policy."""
        series = self.keys.get("course.join_days")
        last = series.values[-1] if series is not None and series.values else None
        return int(last.amount) if last is not None and last.amount is not None else 0


class UnknownPolicy(LookupError):
    """No policy of this name can be asked for."""


class Library:
    """Every page of knowledge with all its days, by one policy.

    Args:
        pages: page trees by kind (`indications`, `products`, `tests`, `sets`, `formulas`) and key, with a `Series` wherever a page is dated.
        version: content hash, named in every report.
        changes: the days from which some value of the pages differs.
        override_reasons: why somebody may go ahead in spite of a finding.
    """

    def __init__(
        self,
        pages: Mapping[str, Mapping[str, Tree]],
        policy: Policy,
        sources: Mapping[str, Mapping[str, str]],
        lexicon: Lexicon,
        version: str,
        changes: Iterable[date],
        override_reasons: OverrideReasons = NO_REASONS,
    ) -> None:
        self.pages, self.sources, self.lexicon, self.version = pages, sources, lexicon, version
        self.override_reasons = override_reasons
        self.stated_policy = policy
        self.policy, self.policy_id, self.policy_version = policy.keys, policy.id, policy.version
        self.keys = {kind: tuple(sorted(of_kind)) for kind, of_kind in pages.items()}
        self._page_changes = frozenset(changes)
        own = {day for series in policy.keys.values() for day in series.starts if day != date.min}
        self.changes = sorted(self._page_changes | own)
        self.policies: dict[str, Library] = {policy.id: self}
        self._books: dict[int, Book] = {}

    def beside(self, policy: Policy) -> Library:
        """A library of the same pages by another policy. Both can be asked for by either."""
        made = Library(
            self.pages, policy, self.sources, self.lexicon, self.version, self._page_changes, self.override_reasons
        )
        if (days := policy.join_days) != self.lexicon.join_days:
            made.lexicon = structs.replace(self.lexicon, join_days=days)
        self.policies[policy.id] = made
        made.policies = self.policies
        return made

    def under(self, policy: str) -> Library:
        """The library of a policy by its id; without one, this.

        Raises:
            UnknownPolicy: there is none; says which there are.
        """
        found = self.policies.get(ALIASES.get(policy, policy)) if policy else self
        if found is None:
            raise UnknownPolicy(f"There is no policy {policy[:40]}; there are {', '.join(sorted(self.policies))}.")
        return found

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
            Position(p["key"], p.get("phase", ""), p["what"], p["value"])
            for p in tree.get("positions") or ()
            if p.get("value")
        ),
        weight_basis=tree.get("weight_basis"),
        scales=scales.words if (scales := tree.get("scales")) is not None else (),
        taper=tree.get("taper"),
        why=tree.get("why", ""),
        review=tree.get("review", ""),
        alternatives=tree.get("alternatives", ""),
        monitoring=tree.get("monitoring", ""),
        statements=tuple(tree.get("statements") or ()),
    )


def _label(tree: Tree) -> Label | None:
    """What a label says for an indication; None where nothing of it is in force: the label did not name it yet."""
    made = Label(_phases(tree), tree.get("min_age"), tree.get("rate_initial"), tree.get("rate_max"))
    doses = [value for phase in made.phases.values() for value in structs.astuple(phase)]
    return made if any(v is not None for v in (*doses, made.min_age, made.rate_initial, made.rate_max)) else None


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
        labels={name: label for name, t in (tree.get("labels") or {}).items() if (label := _label(t)) is not None},
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
