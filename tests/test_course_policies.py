"""Keys of the policy that make a course rule speak otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder import bundle
from ivig.core.finding import Report, Severity
from ivig.knowledge.load import load_library
from ivig.validator import Validator

SITE = """id: site
title: A site
reviewed: 2026-11-20
due: 2027-11-20
keys:
  {key}: {{values: [{{from: unknown, is: {value}, source: house, at: "our committee", seen: house}}]}}
"""


def severities(key: str, value: str, rule: str, sent: object, folder: Path) -> list[Severity]:
    """How gravely `rule` speaks about an order by a policy that sets one key."""
    made = folder / "site.yaml"
    made.write_text(SITE.format(key=key, value=value), "utf-8")
    answered = Validator(load_library(policy=made)).validate(json.dumps(sent).encode())
    report = next(part for part in answered if isinstance(part, Report))
    return [f.severity for j in report.judgements for f in j.findings if f.rule == rule]


@pytest.mark.parametrize(("mapped", "severity"), [("false", Severity.INFORMATION), ("true", Severity.WARNING)])
def test_where_the_scales_are_mapped_a_missing_one_is_a_warning(
    mapped: str, severity: Severity, tmp_path: Path
) -> None:
    sent = bundle("cidp_maintenance", {"labs": {"incat": "absent"}})
    key = "response.scales_mapped"
    assert severities(key, mapped, "course-response-undocumented", sent, tmp_path) == [severity]


@pytest.mark.parametrize(("held", "said"), [("[gbs]", [Severity.WARNING]), ("[]", [])])
def test_a_site_can_hold_no_page_to_fluctuations(held: str, said: list[Severity], tmp_path: Path) -> None:
    sent = bundle("gbs", {"onset": "2026-11-01", "given": [{"day": "2026-11-05"}]})
    assert severities("gbs.second_course", held, "course-second-in-gbs", sent, tmp_path) == said
