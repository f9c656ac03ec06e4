"""The verification sheet: whole in itself, safe against what stands in an order, and complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec import Struct

import ivig
from bases import BASES
from builder import bundle
from ivig.catalogue import RULES
from ivig.entrypoints.files import check
from ivig.entrypoints.sheet import render
from ivig.settings import Settings
from judged import NOON, validator, written
from r4 import Json
from test_cli import ADVISE, CANNOT_TELL, CLEAR, STOP, Run, ivig_  # noqa: F401  (a fixture)

SAMPLES = Path(ivig.__file__).parent / "samples"
FETCHES = {"src", "href", "action", "data", "poster", "srcset", "background", "ping"}
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Read(Struct):
    tags: list[str] = []
    attributes: list[tuple[str, str, str]] = []
    text: list[str] = []
    faults: list[str] = []


class _Reader(HTMLParser):
    """The tags, attributes and text of a page; faults where tags are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self._open = Read(), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.tags.append(tag)
        self.read.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.read.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.read.text.append(data)


def taken_apart(page: str) -> Read:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.read


def printed(sent: Json, tmp_path: Path) -> str:
    path = tmp_path / "sent.json"
    path.write_bytes(written(sent))
    one = check(str(path), validator(), Settings(), None, NOON)
    assert one.report is not None, one.fault
    return render([(one.report, one.orders, one.broken)], datetime(2026, 11, 21, 8, tzinfo=UTC), validator().library)


def words(page: str) -> str:
    return " ".join(" ".join(taken_apart(page).text).split())


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("[0-9b]*.json")), ids=lambda p: p.stem)
def test_a_sheet_is_whole_in_itself(sample: Path, tmp_path: Path) -> None:
    page = printed(json.loads(sample.read_bytes()), tmp_path)
    read = taken_apart(page)
    assert not read.faults
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(read.tags)
    assert not [a for a in read.attributes if a[1] in FETCHES or a[1].startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize("base", BASES)
def test_a_sheet_names_every_rule_and_has_a_place_to_sign(base: str, tmp_path: Path) -> None:
    said = words(printed(bundle(base), tmp_path))
    for module in RULES:
        assert module.rule.name in said
    for heading in ("Order", "Patient on the day", "Dose", "Findings", "Every rule", "Verified"):
        assert heading in said
    for line in ("Pharmacist (name)", "Signature", "Date and time", "printed 2026-11-21 08:00"):
        assert line in said
    assert validator().library.version in said


def test_a_finding_stands_with_its_sum_its_source_and_what_to_consider(tmp_path: Path) -> None:
    said = words(printed(bundle("gbs", {"dose": "42 g"}), tmp_path))
    for part in (
        "Stop",
        "Error 3 g/kg a course is above 2 g/kg",
        "210 g / 70 kg = 3 g/kg",
        "weight: 70 kg (2026-11-18",
        "S-EFNS08",
        "EFNS 2008 guideline",
        "Consider a smaller dose",
    ):
        assert part in said, part


def test_what_could_not_be_judged_stands_with_why(tmp_path: Path) -> None:
    said = words(printed(bundle("gbs", {"weight": "absent"}), tmp_path))
    assert "What could not be judged, and why No" not in said
    assert "No usable weight" in said
    assert "Consider weighing the patient." in said


def test_the_arithmetic_of_the_dosing_weight_is_shown(tmp_path: Path) -> None:
    said = words(printed(json.loads((SAMPLES / "02-cidp-obese-on-actual-weight-advise.json").read_bytes()), tmp_path))
    # 240 g / 87.6 kg = 2.74 g/kg
    assert "By dosing weight, course 240 g / 87.6 kg = 2.74 g/kg 2 g/kg" in said
    assert "60 g / 0.1 g/mL = 600 mL" in said


def test_an_order_cannot_write_the_sheet(tmp_path: Path) -> None:
    nasty = '<script>alert(1)</script><img src="http://x.test/y">\x1b[2J\x9b {{ 7*7 }}'
    sent = bundle("gbs", {"order": {"medicationCodeableConcept": {"text": f"Privigen 10% {nasty}"}}})
    read = taken_apart(page := printed(sent, tmp_path))
    assert not {"script", "img"} & set(read.tags)
    assert "<script>alert(1)</script>" in " ".join(read.text)
    assert "{{ 7*7 }}" in page
    assert not {"\x1b", "\x9b"} & set(page)


def test_no_name_and_no_address_of_the_patient_gets_onto_it(tmp_path: Path) -> None:
    patient = {
        "name": [{"family": "Marlow", "given": ["Philip"]}],
        "address": [{"city": "Bay City"}],
        "telecom": [{"system": "phone", "value": "555-0123"}],
        "identifier": [{"system": "urn:mrn", "value": "MRN-77"}],
    }
    page = printed(bundle("gbs", {"patient": patient}), tmp_path)
    for word in ("Marlow", "Philip", "Bay City", "555-0123", "MRN-77"):
        assert word not in page


def test_of_an_order_under_the_skin_no_range_is_shown(tmp_path: Path) -> None:
    said = words(printed(json.loads(STOP.read_bytes()), tmp_path))
    assert "As ordered 30 g not judged" in said
    assert "Per kg" not in said


def test_several_orders_get_a_sheet_each(tmp_path: Path) -> None:
    page = printed(json.loads((SAMPLES / "09-gbs-five-requests-one-course-clear.json").read_bytes()), tmp_path)
    assert taken_apart(page).tags.count("section") == 5


@pytest.mark.parametrize(("file", "code"), [(CLEAR, 0), (ADVISE, 0), (STOP, 1), (CANNOT_TELL, 2)])
def test_the_command_writes_the_file_and_tells_the_verdict(
    ivig_: Run,  # noqa: F811
    file: Path,
    code: int,
    tmp_path: Path,
) -> None:
    out = tmp_path / "sheet.html"
    ran = ivig_("sheet", file, "--out", out)
    assert ran.code == code
    assert ran.out == ""
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert ivig_("sheet", file).out.startswith("<!DOCTYPE html>")


def test_what_cannot_be_read_gets_no_sheet(ivig_: Run, tmp_path: Path) -> None:  # noqa: F811
    ran = ivig_("sheet", tmp_path / "missing.json")
    assert (ran.code, ran.out) == (3, "")
    assert "No such file" in ran.err


def test_no_order_is_told_on_the_sheet(ivig_: Run) -> None:  # noqa: F811
    ran = ivig_("sheet", "-", stdin=b'{"resourceType": "Bundle", "type": "collection"}')
    assert ran.code == 4
    assert "No immune globulin order" in ran.out


def test_the_vials_and_what_would_clear_a_finding_are_printed(tmp_path: Path) -> None:
    """28 g of Privigen: 20 + 10 = 30 g. 42 g x 5 / 70 kg = 3 g/kg; 2 x 70 / 5 = 28 g, in whole vials 30 g."""
    said = words(printed(bundle("gbs"), tmp_path))
    assert "Vials 28 g exactly: 20 + 10 g = 30 g, 2 g thrown away on each of 5 days. Rounded up to 30 g" in said
    said = words(printed(bundle("gbs", {"dose": "42 g", "labs": {"iga": "absent"}}), tmp_path))
    assert "Would clear it: 30 g a day for 5 days (2.14 g/kg by actual weight 70 kg" in said
    assert "clears only the absence of a usable result" in said
    assert "Would make it pass, all together 30 g a day for 5 days" in said


def test_each_sheet_names_the_policy_its_order_was_judged_by(tmp_path: Path) -> None:
    done = []
    for name, change in (("a", {}), ("b", {"policy": "uk"})):
        path = tmp_path / f"{name}.json"
        path.write_bytes(written(bundle("gbs", change)))
        one = check(str(path), validator(), Settings(), None, NOON)
        assert one.report is not None
        done.append((one.report, one.orders, one.broken))
    page = render(done, datetime(2026, 11, 21, 8, tzinfo=UTC), validator().library)
    first, second = page.split('<section class="sheet">')[1:]
    assert "and policy us-default" in first
    assert "and policy uk" not in first
    assert "and policy uk" in second
    assert "; policy uk " in second


@pytest.mark.parametrize("letter", ["W", "no end "])
def test_a_text_without_end_leaves_room_for_the_rest(letter: str, tmp_path: Path) -> None:
    order = {
        "medicationCodeableConcept": {"text": "Privigen 10% " + letter * 2000},
        "reasonCode": [{"text": letter * 2000}],
    }
    page = printed(bundle("gbs", {"order": order}), tmp_path)
    assert "more characters stand in the order)" in page
    assert page.count(letter) < 2500
