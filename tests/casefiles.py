"""The case files below `tests/cases`: one per rule, at the path of its name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

HERE = Path(__file__).parent / "cases"
_KEYS = {"name", "change", "expect", "text", "also", "never", "mission", "count", "base", "explains"}
_WORDS = {"passes", "error", "warning", "information", "cannot-tell", "note", "absent"}


class Case(Struct, frozen=True):
    """One case: a base, a change, and what the rule has to say."""

    rule: str
    base: str
    name: str
    expect: str  # a word of _WORDS, or not-judged
    change: dict[str, Any] = {}
    severity: str = ""  # with cannot-tell
    root: str = ""  # with not-judged
    text: str = ""
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    mission: tuple[str, ...] = ()
    count: int | None = None
    explains: str = ""  # words of the explanation of one of its findings, in full

    @property
    def id(self) -> str:
        return f"{self.rule}: {self.name}"


class _Loader(yaml.SafeLoader):
    """Dates stay the text they are written as."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def files() -> list[Path]:
    return sorted(HERE.rglob("*.yaml"))


@lru_cache(maxsize=1)
def all_cases() -> tuple[Case, ...]:
    return tuple(case for path in files() for case in read(path))


def read(path: Path) -> list[Case]:
    page = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    stray = page.keys() - {"rule", "base", "cases"}
    if stray:
        raise ValueError(f"{path}: unknown keys {sorted(stray)}")
    found = [_case(path, page, said) for said in page["cases"]]
    names = [c.name for c in found]
    if len(set(names)) != len(names):
        raise ValueError(f"{path}: two cases of one name")
    return found


def _case(path: Path, page: dict[str, Any], said: dict[str, Any]) -> Case:
    stray = said.keys() - _KEYS
    if stray:
        raise ValueError(f"{path}: {said.get('name')}: unknown keys {sorted(stray)}")
    expect, severity, root = said["expect"], "", ""
    if isinstance(expect, dict):
        ((expect, more),) = expect.items()
        severity, root = (more, "") if expect == "cannot-tell" else ("", more)
        if expect not in ("cannot-tell", "not-judged"):
            raise ValueError(f"{path}: {said['name']}: expect {said['expect']}")
    elif expect not in _WORDS:
        raise ValueError(f"{path}: {said['name']}: expect {expect}")
    return Case(
        rule=page["rule"],
        base=said.get("base", page.get("base", "")),
        name=said["name"],
        expect=expect,
        change=said.get("change") or {},
        severity=severity,
        root=root,
        text=said.get("text", ""),
        also=tuple(said.get("also", ())),
        never=tuple(said.get("never", ())),
        mission=tuple(said.get("mission", ())),
        count=said.get("count"),
        explains=said.get("explains", ""),
    )
