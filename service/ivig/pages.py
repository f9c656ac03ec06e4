"""Prints into `profiles/` what follows from rules and knowledge, and keeps the hand-written artefacts in the same form.

`python -m ivig.pages` writes; `python -m ivig.pages --check` names every file that is out of date and fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ivig
from ivig.catalogue import RULES
from ivig.core.finding import Result, Verdict
from ivig.core.rule import titled
from ivig.knowledge.load import HERE as KNOWLEDGE
from ivig.knowledge.override_reasons import PAGE as OVERRIDE_REASONS
from ivig.knowledge.override_reasons import own_reasons
from ivig.knowledge.pages import PageReader
from ivig.valuesets import value_sets
from ivig.wire.outcome import BASE, RESULT

Json = dict[str, Any]
DAY = "2026-11-21"  # of the last change to the artefacts; a printed page asks no clock
PUBLISHER = "The ivig-order-check maintainers"
OBSERVATION = f"{BASE}/CodeSystem/ivig-observation"
SEVERITY = "http://hl7.org/fhir/issue-severity"

_RESULTS = {
    Result.FLAGGED: ("Flagged", "Something about the order is not as it should be, or is worth knowing."),
    Result.CANNOT_TELL: ("Cannot tell", "A datum is absent; the rules that needed it stand under ivig-not-judged."),
    Result.NOTE: ("Note", "Tells what the service did; nothing to decide."),
}
_VERDICTS = {
    Verdict.STOP: ("Stop", "At least one error: the order should not go ahead as written."),
    Verdict.CANNOT_TELL: ("Cannot tell", "No error, but something that matters could not be checked for want of data."),
    Verdict.ADVISE: ("Advise", "No error and nothing that matters unchecked; a warning needs a decision."),
    Verdict.CLEAR: ("Clear", "Nothing found among the things that are checked. It is no approval."),
}


def profiles_dir() -> Path:
    """The folder of the FHIR artefacts: inside the package when it was installed, else beside `service/`.

    Raises:
        FileNotFoundError: the package was taken out of its checkout without them.
    """
    package = Path(ivig.__file__).resolve().parent
    for folder in (package / "profiles", package.parents[1] / "profiles"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the folder `profiles` is missing beside the package")


def printed() -> dict[str, Json]:
    """What follows from rules and knowledge: file name and resource."""
    systems = (_rules(), _results(), _verdicts(), _observations(), _override_reasons())
    made = (*systems, *value_sets(DAY, PUBLISHER))
    return {f"{resource['resourceType']}-{resource['id']}.json": resource for resource in made}


def pages(folder: Path) -> dict[str, str]:
    """Every artefact as it should lie in `folder`, the hand-written ones stamped with this release."""
    made = printed()
    by_hand = (p for p in folder.glob("*.json") if p.name not in made and not p.name.startswith("ValueSet-"))
    kept = {p.name: _stamped(json.loads(p.read_text("utf-8"))) for p in by_hand}
    return {name: _text(resource) for name, resource in sorted((kept | made).items())}


def stale(folder: Path) -> list[str]:
    """The files that differ from what would be written, and printed ones of which nothing is left."""
    made = pages(folder)
    left = [p.name for p in sorted(folder.glob("ValueSet-*.json")) if p.name not in made]
    return [name for name, text in made.items() if not _says(folder / name, text)] + left


def write(folder: Path) -> list[str]:
    """Write what is stale; returns its names."""
    made = pages(folder)
    changed = stale(folder)
    for name in changed:
        if name in made:
            (folder / name).write_text(made[name], "utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed


def _says(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _text(resource: Json) -> str:
    return json.dumps(resource, indent=2, ensure_ascii=False) + "\n"


def _stamped(resource: Json) -> Json:
    """A hand-written artefact with the version and day of the release."""
    resource = resource | {"version": ivig.__version__, "date": DAY}
    if "software" in resource:
        resource["software"] = resource["software"] | {"version": ivig.__version__, "releaseDate": DAY}
    return resource


def _code_system(name: str, title: str, says: str, concepts: Iterator[Json], properties: tuple[Json, ...] = ()) -> Json:
    listed = list(concepts)
    head: Json = {
        "resourceType": "CodeSystem",
        "id": f"ivig-{name}",
        "url": f"{BASE}/CodeSystem/ivig-{name}",
        "version": ivig.__version__,
        "name": f"Ivig{name.title().replace('-', '')}",
        "title": title,
        "status": "draft",
        "experimental": False,
        "date": DAY,
        "publisher": PUBLISHER,
        "description": says,
        "caseSensitive": True,
        "content": "complete",
        "count": len(listed),
    }
    if properties:
        head["property"] = list(properties)
    return head | {"concept": listed}


def _rules() -> Json:
    properties = (
        {
            "code": "severity",
            "description": "Severity unless the finding or the policy says otherwise",
            "type": "Coding",
        },
        {"code": "result", "description": "What kind of issue the rule raises", "type": "Coding"},
        {"code": "family", "description": "The family the rule belongs to", "type": "string"},
    )
    says = "The rules by which immune globulin orders are judged. A code is never used again for something else."
    return _code_system("rule", "Rules for immune globulin orders", says, _rule_concepts(), properties)


def _rule_concepts() -> Iterator[Json]:
    for module in RULES:
        rule = module.rule
        yield {
            "code": rule.name,
            "display": titled(rule.name),
            "definition": (module.__doc__ or "").splitlines()[0],
            "property": [
                {"code": "severity", "valueCoding": {"system": SEVERITY, "code": rule.severity.name.lower()}},
                {"code": "result", "valueCoding": {"system": RESULT, "code": rule.result.value}},
                {"code": "family", "valueString": rule.name.partition("-")[0]},
            ],
        }


def _results() -> Json:
    concepts = ({"code": r.value, "display": _RESULTS[r][0], "definition": _RESULTS[r][1]} for r in Result)
    return _code_system("result", "Kinds of issues", "What an issue of the outcome is.", concepts)


def _verdicts() -> Json:
    concepts = ({"code": v.value, "display": _VERDICTS[v][0], "definition": _VERDICTS[v][1]} for v in Verdict)
    return _code_system("verdict", "Verdicts on an order", "The worst of what was found about one order.", concepts)


def _observations() -> Json:
    says = "Scales and measurements that immune globulin orders are judged by and for which no common code was found."
    unit = {
        "code": "unit",
        "description": "UCUM unit of the value; absent where the value is no quantity",
        "type": "string",
    }
    return _code_system("observation", "Observations for immune globulin orders", says, _observed(), (unit,))


def _observed() -> Iterator[Json]:
    """One concept per code of our own on the pages of tests, in the order of the codes."""
    reader = PageReader(KNOWLEDGE)
    found: dict[str, Json] = {}
    for path in sorted((KNOWLEDGE / "tests").glob("*.yaml")):
        page = reader.read(path)
        for row in page.get("codes", {}).get("ivig", {}).get("list", ()):
            concept: Json = {"code": row["code"], "display": row["words"]}
            if page.get("note"):
                concept["definition"] = page["note"]
            if page["kind"] != "status":
                concept["property"] = [{"code": "unit", "valueString": page["unit"]}]
            found[row["code"]] = concept
    return (found[code] for code in sorted(found))


def _override_reasons() -> Json:
    """Our own reasons of the page of override reasons; HL7's stand in HL7's code system."""
    held = own_reasons(PageReader(KNOWLEDGE).read(KNOWLEDGE / OVERRIDE_REASONS))
    says = "Why somebody goes ahead in spite of a finding about an immune globulin order, beside HL7's own reasons."
    concepts = ({"code": row["code"], "display": row["words"], "definition": row["means"]} for row in held)
    return _code_system("override-reason", "Override reasons for immune globulin orders", says, concepts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ivig.pages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    folder = profiles_dir()
    if not parser.parse_args(arguments).check:
        for name in write(folder):
            print(f"written: profiles/{name}")
        return 0
    out_of_date = stale(folder)
    for name in out_of_date:
        print(f"out of date: profiles/{name}")
    if out_of_date:
        print("Run: make pages")
    return 1 if out_of_date else 0


if __name__ == "__main__":
    sys.exit(main())
