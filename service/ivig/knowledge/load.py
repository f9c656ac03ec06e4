"""Reads all pages, checks them, and builds the library. Faulty knowledge never loads: all faults are listed at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ivig.core.book import Library, Tree
from ivig.core.dated import Series
from ivig.core.lexicon import Codes, Lexicon, ProductKnown, TestKnown, Words, plain_code, plain_url, tokens
from ivig.core.rule import Rule
from ivig.core.units import UNITS
from ivig.knowledge.override_reasons import PAGE as OVERRIDE_REASONS
from ivig.knowledge.override_reasons import read_override_reasons
from ivig.knowledge.pages import KnowledgeFault, Lined, PageReader
from ivig.knowledge.policies import DEFAULT, Known, read_policies
from ivig.knowledge.positions import check_positions, check_views

HERE = Path(__file__).parent
SYSTEMS = ("icd10cm", "snomed", "loinc", "rxnorm", "ndc", "hcpcs", "cpt", "cvx", "atc", "icd10pcs", "ivig")

_PAGE = {"id", "title", "reviewed", "due", "note", "statements"}
_NEEDED = {"id", "title", "reviewed", "due"}
_KEYS: dict[str, set[str]] = {
    "indications": {
        "why", "status", "urgent", "family", "rank", "when", "exceptions", "names", "codes", "not_codes", "weight_basis", "criteria",
        "phases", "positions", "scales", "taper", "review", "alternatives", "monitoring",
    },
    "products": {
        "brand", "manufacturer", "class", "market", "routes", "route_limits", "strength", "excipients", "iga", "vials", "names", "codes",
        "labels", "rate_at_risk", "contraindications", "cautions", "own_indications", "composition",
    },
    "tests": {"kind", "group", "codes", "unit", "units", "molar_mass", "molar_factor", "race_specific", "names", "ordinary"},
    "sets": {"of", "serves", "timed", "codes", "names", "wide_codes", "source", "at", "seen"},
    "formulas": {"coefficients"},
}  # fmt: skip
_NEEDED_OF = {
    "indications": {"status"},
    "products": {"brand", "class"},
    "tests": {"kind", "unit"},
    "sets": {"of"},
    "formulas": {"coefficients"},
}
_CLASSES = ("polyvalent-iv", "polyvalent-sc", "polyvalent-im", "hyperimmune")
_STATUS = ("labelled", "guideline", "not_routine", "not_recommended")
_WHEN = (
    "age-under", "age-from", "pregnant", "postpartum", "planned-surgery", "drug-begun", "condition", "scale-at-least", "repeats",
)  # fmt: skip
# Not a value set of codes: derived from IgA deficiency, antibodies against IgA and an earlier reaction together.
_DERIVED = ("iga_deficiency_with_anti_iga",)
# What a set is for: such a set is printed as a ValueSet.
SERVES = ("risk", "interaction", "adjunct")
# Each kind of criterion with the keys it takes.
_CRITERIA = {
    "onset-within": {"unit", "strong", "weak"},
    "scale-at-least": {"scale", "values", "unless_worsening_within"},
    "lab-below": {"test", "unit", "values", "weak", "otherwise", "untreated"},
    "lab-positive": {"test", "values"},
    "condition": {"sets"},
    "drug-tried": {"sets"},
    "gestation-from": {"unit", "strong", "weak", "otherwise"},
}


def load_library(policy: str | Path = DEFAULT, root: Path = HERE, rules: Mapping[str, Rule] | None = None) -> Library:
    """The library of all pages below `root`, by one policy; with it, by every shipped policy beside it.

    Args:
        policy: the id of a shipped policy, or the path of a site's own page.
        rules: the rules by name, so that a policy that changes the severity of one is held against it.

    Raises:
        KnowledgeFault: any page is faulty; lists every fault with file and line.
    """
    reader = PageReader(root)
    pages: dict[str, dict[str, Tree]] = {}
    digest = hashlib.sha256()
    for kind in _KEYS:
        pages[kind] = {}
        for path in sorted((root / kind).glob("*.yaml")):
            digest.update(path.read_bytes())
            page = _page(reader, kind, path)
            if page is not None:
                pages[kind][page["id"]] = page
    sources = _sources(reader, root, digest)
    systems = _listing(reader, root / "systems.yaml", "systems", digest)
    units = _listing(reader, root / "units.yaml", "aliases", digest)
    views = _listing(reader, root / "views.yaml", "views", digest)
    digest.update((root / OVERRIDE_REASONS).read_bytes())
    reasons = read_override_reasons(reader, root, rules)
    changes = frozenset(reader.changes)
    policies = read_policies(reader, policy, root, _known(pages, views, rules))
    for source, file, line in reader.sources_used:
        if source not in sources:
            reader.fault(file, line, f"unknown source `{source}`")
    lexicon = _lexicon(reader, pages, systems, units, policies[0].join_days if policies else 0)
    _own_indications(pages["products"], lexicon)
    _cross_checks(reader, pages)
    for indication in pages["indications"].values():
        check_views(reader, indication, frozenset(views))
    if reader.faults:
        raise KnowledgeFault(reader.faults)
    library = Library(pages, policies[0], sources, lexicon, digest.hexdigest()[:12], changes, reasons)
    for other in policies[1:]:
        library.beside(other)
    return library


def _known(pages: Mapping[str, Mapping[str, Tree]], views: Iterable[str], rules: Mapping[str, Rule] | None) -> Known:
    indications, products, sets = (frozenset(pages[kind]) for kind in ("indications", "products", "sets"))
    return Known(indications, products, sets, frozenset(views), rules)


def _page(reader: PageReader, kind: str, path: Path) -> dict[str, Any] | None:
    file = path.relative_to(reader.root).as_posix()
    tree = reader.read(path)
    reader.allow(tree, file, kind, _PAGE | _KEYS[kind], _NEEDED | _NEEDED_OF[kind])
    if tree.get("id") != path.stem:
        reader.fault(file, tree.lines.get("id", 1), f"id is `{tree.get('id')}`, the file is {path.name}")
        return None
    for key in ("reviewed", "due"):
        try:
            date.fromisoformat(str(tree.get(key)))
        except ValueError:
            reader.fault(file, tree.lines.get(key, 1), f"`{key}` is a day")
    page = {key: below for key, below in tree.items() if key in ("codes", "not_codes", "wide_codes")}
    page.update(
        {key: reader.dated(below, file, f"{tree['id']}.{key}") for key, below in tree.items() if key not in page}
    )
    if kind == "products" and isinstance(own := tree.get("own_indications"), Lined):
        page["own_indications"] = own
    for key in ("codes", "not_codes", "wide_codes"):
        _check_codes(reader, file, tree.get(key), f"{tree['id']}.{key}")
    page["__file__"], page["__line__"] = file, tree.line
    page["__positions__"] = [(row.line, row) for row in tree.get("positions") or () if isinstance(row, Lined)]
    _check_words(reader, kind, file, tree, page)
    if kind == "tests":
        _check_ordinary(reader, file, tree, page)
    return page


def _check_words(reader: PageReader, kind: str, file: str, tree: Lined, page: Mapping[str, Any]) -> None:
    """Words of closed lists."""

    def check(value: Any, allowed: Iterable[str], what: str, line: int) -> None:
        _check_word(reader, file, value, allowed, what, line)

    if kind == "products":
        check(tree.get("class"), _CLASSES, "class", tree.lines.get("class", 1))
    if kind == "indications":
        status = page.get("status")
        for value in status.values if isinstance(status, Series) else ():
            if value is not None:
                check(value.word if value.words else "", _STATUS, "status", tree.lines["status"])
        taper = page.get("taper")
        for value in taper.values if isinstance(taper, Series) else ():
            if value is not None:
                check(value.word if value.words else "", ("yes", "no"), "taper", tree.lines["taper"])
        when = tree.get("when") or Lined(1)
        for line in [*when.get("any", []), *when.get("unless", []), *(tree.get("exceptions") or [])]:
            check(line.get("kind"), _WHEN, "kind", line.line)
        for line in tree.get("criteria") or []:
            check(line.get("kind"), _CRITERIA, "criterion", line.line)
            if line.get("kind") in _CRITERIA:
                reader.allow(line, file, f"criterion {line['kind']}", {"kind", *_CRITERIA[line["kind"]]})
        for name, phase in (tree.get("phases") or {}).items():
            check(name, ("induction", "maintenance"), "phase", tree.lines["phases"])
            reader.allow(phase, file, f"phases.{name}", {"course", "regimens", "interval"}, {"course"})
        check_positions(reader, file, tree, page, _STATUS)
    if kind == "sets":
        _check_set(reader, file, tree)
    if kind == "tests" and tree.get("unit") not in UNITS:
        reader.fault(file, tree.lines.get("unit", 1), f"unit `{tree.get('unit')}` is not in the table of units")


def _check_ordinary(reader: PageReader, file: str, tree: Lined, page: Mapping[str, Any]) -> None:
    """The ordinary result of a test is in its own unit."""
    ordinary = page.get("ordinary")
    for value in ordinary.values if isinstance(ordinary, Series) else ():
        if value is not None and value.amount is not None and value.unit != tree.get("unit"):
            reader.fault(file, tree.lines["ordinary"], "`ordinary` is in the page's own unit")


def _check_word(reader: PageReader, file: str, value: Any, allowed: Iterable[str], what: str, line: int) -> None:
    if value not in allowed:
        reader.fault(file, line, f"{what}: `{value}` is not one of {', '.join(allowed)}")


def _check_set(reader: PageReader, file: str, tree: Lined) -> None:
    serves = tree.get("serves", [])
    if not isinstance(serves, list):
        reader.fault(file, tree.lines["serves"], "`serves` is a list")
    for word in serves if isinstance(serves, list) else ():
        _check_word(reader, file, word, SERVES, "serves", tree.lines["serves"])
    if "timed" in tree:
        _check_word(reader, file, tree["timed"], ("yes", "no"), "timed", tree.lines["timed"])


def _check_codes(reader: PageReader, file: str, tree: Any, where: str) -> None:
    if tree is None:
        return
    for system, block in tree.items():
        line = tree.lines[system]
        if system not in SYSTEMS:
            reader.fault(file, line, f"`{where}`: unknown code system `{system}`")
            continue
        if not isinstance(block, Lined) or not isinstance(block.get("list"), list):
            reader.fault(file, line, f"`{where}.{system}` has source and list")
            continue
        reader.allow(block, file, f"{where}.{system}", {"source", "list", "at", "seen", "note"}, {"source", "list"})
        reader.sources_used.append((str(block.get("source")), file, line))
        for row in block["list"]:
            if not isinstance(row, Lined):
                reader.fault(file, line, f"`{where}.{system}`: a code is a mapping")
                continue
            reader.allow(
                row,
                file,
                f"{where}.{system}",
                {"code", "words", "below", "seen", "note", "source", "at"},
                {"code", "words"},
            )


def _codes(tree: Any) -> Iterable[tuple[str, str, bool, int]]:
    """System, code, whether all below it is meant, and the line."""
    for system, block in (tree or {}).items():
        if system in SYSTEMS and isinstance(block, Mapping):
            for row in block.get("list") or ():
                if isinstance(row, Lined) and "code" in row:
                    yield system, str(row["code"]), row.get("below") in ("true", "yes"), row.line


def _sources(reader: PageReader, root: Path, digest: Any) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted((root / "sources").glob("*.yaml")):
        digest.update(path.read_bytes())
        file = path.relative_to(root).as_posix()
        tree = reader.read(path)
        reader.allow(tree, file, "sources", {"sources"}, {"sources"})
        for key, source in (tree.get("sources") or {}).items():
            line = source.line if isinstance(source, Lined) else 1
            if key in found:
                reader.fault(file, line, f"source `{key}` stands twice")
            if not isinstance(source, Lined) or "title" not in source:
                reader.fault(file, line, f"source `{key}` has no title")
                continue
            found[key] = {k: str(v) for k, v in source.items()}
    return found


def _listing(reader: PageReader, path: Path, key: str, digest: Any) -> Any:
    digest.update(path.read_bytes())
    tree = reader.read(path)
    if key not in tree:
        reader.fault(path.name, 1, f"`{key}` is missing")
    return tree.get(key) or Lined(1)


class _Claims:
    """Which page claims a code. Two pages may claim one only within a family."""

    def __init__(self, reader: PageReader) -> None:
        self.reader = reader
        self.held: dict[tuple[str, str, bool], tuple[str, str]] = {}

    def claim(self, kind: str, page: Tree, system: str, code: str, below: bool, line: int) -> None:
        key, family = str(page["id"]), str(page.get("family", ""))
        other = self.held.setdefault((f"{kind}/{system}", plain_code(system, code), below), (key, family))
        if other[0] != key and not (family and family == other[1]):
            self.reader.fault(page["__file__"], line, f"{system} {code} is claimed by `{other[0]}` already")


def _codes_of(pages: Mapping[str, Tree], field: str = "codes", claims: _Claims | None = None, kind: str = "") -> Codes:
    """All codes of a kind of page; with `claims`, each claimed once."""
    made = Codes()
    for key, page in pages.items():
        for system, code, below, line in _codes(page.get(field)):
            if claims is not None:
                claims.claim(kind, page, system, code, below, line)
            made.add(system, code, key, below)
    return made


def _words_of(pages: Mapping[str, Tree]) -> Words:
    made = Words()
    for key, page in pages.items():
        for name in page.get("names") or ():
            made.add(name, key)
    return made


def _lexicon(
    reader: PageReader, pages: Mapping[str, Mapping[str, Tree]], systems: Any, units: Any, join_days: int
) -> Lexicon:
    claims = _Claims(reader)
    spelled = {str(alias): str(unit) for alias, unit in units.items()}
    for alias, unit in spelled.items():
        if unit not in UNITS:
            line = units.lines.get(alias, 1)
            reader.fault("units.yaml", line, f"`{alias}` means `{unit}`, which is not in the table of units")
    spelled.update({unit: unit for unit in UNITS})
    return Lexicon(
        systems={plain_url(url): name for name, urls in systems.items() for url in urls},
        units=spelled,
        tests=_codes_of(pages["tests"], claims=claims, kind="test"),
        test_pages={key: _test(key, page) for key, page in pages["tests"].items()},
        sets=_codes_of(pages["sets"]),
        set_words=_words_of(pages["sets"]),
        wide=_codes_of(pages["sets"], "wide_codes"),
        indications=_codes_of(pages["indications"], claims=claims, kind="indication"),
        indication_words=_words_of(pages["indications"]),
        excluded=_codes_of(pages["indications"], "not_codes"),
        products=_codes_of(pages["products"]),
        product_words=_words_of(pages["products"]),
        product_pages={key: _product(key, page) for key, page in pages["products"].items()},
        set_kinds={key: str(page.get("of", "")) for key, page in pages["sets"].items()},
        join_days=join_days,
        timed=frozenset(key for key, page in pages["sets"].items() if page.get("timed") == "yes"),
    )


def _test(key: str, page: Tree) -> TestKnown:
    molar = page.get("molar_factor")
    factor = None
    if isinstance(molar, Series) and molar.values and molar.values[-1] is not None:
        value = molar.values[-1]
        factor = (value.unit.split(" ")[0], str(value.amount))
    return TestKnown(
        key,
        str(page["unit"]),
        frozenset(page.get("units") or (page["unit"],)),
        factor,
        str(page["kind"]),
        frozenset(page.get("race_specific") or ()),
    )


def _product(key: str, page: Tree) -> ProductKnown:
    def words(name: str) -> tuple[str, ...]:
        series = page.get(name)
        last = series.values[-1] if isinstance(series, Series) and series.values else None
        return () if last is None else last.words or ((str(last.amount),) if last.amount is not None else ())

    return ProductKnown(key, str(page["class"]), words("strength"), words("routes"))


def _own_indications(products: dict[str, Tree], lexicon: Lexicon) -> None:
    """The indication pages that a product is itself for: those that claim one of its codes or bear one of its names."""
    for key, page in products.items():
        own = page.get("own_indications")
        if not own:
            continue
        found: set[str] = set()
        for system, code, _, _ in _codes(own.get("codes")):
            found.update(lexicon.indications.find(system, plain_code(system, code)))
        for name in own.get("names") or ():
            for _, _, keys in lexicon.indication_words.find(name):
                found.update(keys)
        names = tuple(map(tokens, own.get("names") or ()))
        products[key] = {**page, "own_indications_keys": tuple(sorted(found)), "own_indications_names": names}


def _cross_checks(reader: PageReader, pages: Mapping[str, Mapping[str, Tree]]) -> None:
    """Names on one page that must be names of another."""
    for page in pages["products"].values():
        for key in page.get("labels") or ():
            if key not in pages["indications"]:
                reader.fault(page["__file__"], page["__line__"], f"labels: no indication page `{key}`")
        for row in page.get("contraindications") or ():
            for name in ("set", "unless_excluded"):
                if row.get(name) and row[name] not in pages["sets"] and row[name] not in _DERIVED:
                    reader.fault(page["__file__"], page["__line__"], f"contraindications: no set page `{row[name]}`")
    for page in pages["indications"].values():
        when = page.get("when") or {}
        for row in [*(when.get("any") or ()), *(when.get("unless") or ()), *(page.get("exceptions") or ())]:
            for name in row.get("sets") or ():
                if name not in pages["sets"]:
                    reader.fault(page["__file__"], page["__line__"], f"when: no set page `{name}`")
        _check_scales(reader, page, pages["tests"])
        _check_criteria(reader, page, pages)


def _check_scales(reader: PageReader, page: Tree, tests: Mapping[str, Tree]) -> None:
    """The scales of an indication are pages of scales."""
    scales = page.get("scales")
    for value in scales.values if isinstance(scales, Series) else ():
        for name in value.words if value is not None else ():
            if tests.get(name, {}).get("kind") != "scale":
                reader.fault(page["__file__"], page["__line__"], f"scales: no test page of a scale `{name}`")


def _check_criteria(reader: PageReader, page: Tree, pages: Mapping[str, Mapping[str, Tree]]) -> None:
    for row in page.get("criteria") or ():
        for kind, names in (("test", (row.get("scale"), row.get("test"))), ("set", row.get("sets") or ())):
            for name in names:
                if name and name not in pages[f"{kind}s"]:
                    reader.fault(page["__file__"], page["__line__"], f"criteria: no {kind} page `{name}`")
