"""A rule's page for a reader in a browser: where the links of the cards lead."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ivig.core.book import Library
from ivig.core.explanation import Limit, limit

if TYPE_CHECKING:
    from jinja2 import Template

_NAME = re.compile(r"[a-z][a-z0-9-]{1,63}")
_PARTS = re.compile(r"^(What it checks|Why it matters|Example|Does not cover)\s+", re.MULTILINE)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class RulePages:
    """`GET /rules/{code}`.

    Args:
        library: whose numbers are shown, those in force today.
    """

    def __init__(self, library: Library, zone: tzinfo = UTC) -> None:
        self.library, self.zone = library, zone

    async def __call__(self, request: Request) -> Response:
        name = str(request.path_params.get("code", ""))
        made = await run_in_threadpool(self.render, name) if _NAME.fullmatch(name) else None
        if made is None:
            return HTMLResponse(_template("missing.html.j2").render(), 404, _HEADERS)
        return HTMLResponse(made, 200, _HEADERS)

    def render(self, name: str) -> str | None:
        """The page as HTML, None where there is no such rule."""
        from ivig.entrypoints import explanation  # noqa: PLC0415  (reads the sources of the rules: only when asked)

        try:
            page = explanation.page(name, self.library, datetime.now(self.zone).date())
        except LookupError:
            return None
        parts = _PARTS.split(page.text)
        prose = {heading: " ".join(said.split()) for heading, said in zip(parts[1::2], parts[2::2], strict=True)}
        return _template("rule.html.j2").render(
            page=page,
            prose=prose,
            own=[limit(value, self.library) for value in page.numbers.own],
            behind=[limit(value, self.library) for value in page.numbers.of_facts],
            policy=self.library.policy_id,
            source_of=_source,
        )


def _source(one: Limit) -> str:
    """Where a number comes from, in words."""
    return f"{one.source}: {one.title}; {one.at}"


@lru_cache(maxsize=4)
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (not needed to start)

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
