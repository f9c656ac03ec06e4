"""Who is let in: every way in which a token can fail, and the ways in which it holds."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization

from doors import SERVICE, posted, served
from hooked import call
from ivig.knowledge.pages import KnowledgeFault
from ivig.settings import Settings
from ivig.trust.clients import Client, Mode, load_clients
from ivig.trust.doorkeeper import Doorkeeper, NotTrusted, Reason, TooMany
from ivig.trust.rate import Rate
from ivig.trust.replay import Full, Replay
from r4 import Json
from signing import ISSUER, JWKS, NOW, URL, Net, claims, curve_key, jwk, jwks, rsa_key, token

RULES = ("lab-missing", "risk-thrombosis")


def keeper(net: Net | None = None, **changed: Any) -> Doorkeeper:
    given = {"id": "ehr", "issuer": ISSUER, "jwks_urls": (JWKS,)} | changed
    net = net or Net(jwk(rsa_key(), "one"), jwk(curve_key(), "two"))
    return Doorkeeper(Settings(calls_per_minute=0), (Client(**given),), lambda: NOW, net.transport)


def admitted(said: str, by: Doorkeeper | None = None, url: str = URL) -> Client:
    return asyncio.run((by or keeper()).admit(f"Bearer {said}", url))


def reason(said: str, by: Doorkeeper | None = None, url: str = URL) -> Reason:
    with pytest.raises(NotTrusted) as refused:
        admitted(said, by, url)
    assert str(refused.value) == refused.value.reason.value
    return refused.value.reason


# -- tokens that hold -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_rs384_holds(scheme: str) -> None:
    assert asyncio.run(keeper().admit(f"{scheme} {token()}", URL)).id == "ehr"


def test_es384_holds() -> None:
    assert admitted(token(curve_key(), "ES384", "two")).id == "ehr"


def test_other_algorithms_hold_where_the_client_s_page_says_so() -> None:
    assert reason(token(algorithm="RS256")) is Reason.ALGORITHM
    assert admitted(token(algorithm="RS256"), keeper(algorithms=("RS256",))).id == "ehr"


@pytest.mark.parametrize("audience", [URL, f"{URL}/", [URL], ["https://other.example", URL]])
def test_an_audience_that_is_the_address_called(audience: Any) -> None:
    assert admitted(token(aud=audience))


def test_an_alias_of_the_audience() -> None:
    assert admitted(token(aud="urn:ours"), keeper(audience_aliases=("urn:ours",)))


def test_nbf_five_minutes_before_iat_as_some_clients_send_it() -> None:
    assert admitted(token(nbf=NOW - 300, sub="client-id"))


def test_clocks_may_differ_by_a_minute() -> None:
    assert admitted(token(iat=NOW + 50, exp=NOW + 300))
    assert admitted(token(iat=NOW - 300, exp=NOW - 50))


def test_a_tenant_of_the_client() -> None:
    assert admitted(token(tenant="north"), keeper(tenants=("north",)))
    assert reason(token(tenant="south"), keeper(tenants=("north",))) is Reason.TENANT
    assert reason(token(), keeper(tenants=("north",))) is Reason.TENANT


def test_the_address_that_the_token_names_when_it_is_on_the_list() -> None:
    net = Net(jwk(rsa_key(), "one"))
    assert admitted(token(header={"jku": JWKS}), keeper(net))
    assert net.asked == [JWKS]


# -- tokens that do not -----------------------------------------------------------------------------------------------


def unsigned(header: Json, **changed: Any) -> str:
    pieces = (json.dumps(header), json.dumps(claims(**changed)))
    return ".".join(base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in pieces) + "."


def test_no_token_at_all() -> None:
    for authorization in ("", "Bearer", "Bearer ", "Basic dTpw", token()):
        with pytest.raises(NotTrusted) as refused:
            asyncio.run(keeper().admit(authorization, URL))
        assert refused.value.reason is Reason.MISSING


@pytest.mark.parametrize(
    "said", ["x", "a.b", "a.b.c", "a.b.c.d", "..", "é.é.é", "e30.e30.x", "W10.W10.x", "x" * 20_000]
)
def test_what_is_no_token(said: str) -> None:
    assert reason(said) in (Reason.MALFORMED, Reason.HEADER)


def test_a_token_nested_deep_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 6000).decode().rstrip("=")
    assert reason(f"{deep}.e30.x") is Reason.MALFORMED


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["RS384"]])
def test_alg_none_and_nonsense(algorithm: Any) -> None:
    said = unsigned({"alg": algorithm, "kid": "one", "typ": "JWT"})
    assert reason(said) is Reason.ALGORITHM
    for listed in ("none", "HS256"):
        assert reason(said, keeper(algorithms=("RS384",))) is not None, listed


@pytest.mark.parametrize("size", ["256", "384", "512"])
def test_the_public_key_as_a_shared_secret(size: str) -> None:
    public = (
        rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    said = unsigned({"alg": f"HS{size}", "kid": "one", "typ": "JWT"}).removesuffix(".")
    signature = base64.urlsafe_b64encode(hmac.digest(public, said.encode(), f"sha{size}")).decode().rstrip("=")
    assert reason(f"{said}.{signature}") is Reason.ALGORITHM


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS384", "HS512"])
def test_no_client_can_sign_with_nothing_or_with_a_shared_secret(algorithm: str) -> None:
    assert reason(unsigned({"alg": algorithm, "kid": "one", "typ": "JWT"}), keeper(algorithms=(algorithm,))) is (
        Reason.ALGORITHM
    )


def test_the_algorithm_is_looked_at_before_any_key_is() -> None:
    net = Net(jwk(rsa_key(), "one"))
    for algorithm in ("none", "HS384", "RS256"):
        reason(unsigned({"alg": algorithm, "kid": "one", "typ": "JWT"}), keeper(net))
    reason(token(iss="https://other.example"), keeper(net))
    assert net.asked == []


def test_a_token_in_a_token() -> None:
    head, _, signature = token().split(".")
    inner = base64.urlsafe_b64encode(token().encode()).decode().rstrip("=")
    assert reason(f"{head}.{inner}.{signature}") is Reason.MALFORMED
    assert reason(f"{token()}.{signature}") is Reason.MALFORMED
    assert reason(f"{token()}.a.b") is Reason.MALFORMED  # five parts: encrypted


@pytest.mark.parametrize("strange", ["=", "==", "+", "/", "!", " ", "\n", "\u00e9", "\x00", ","])
def test_nothing_but_base64url(strange: str) -> None:
    head, body, signature = token().split(".")
    half = len(signature) // 2
    for said in (
        f"{head}.{body}.{signature[:half]}{strange}{signature[half:]}",
        f"{head}.{body[:20]}{strange}{body[20:]}.{signature}",
        f"{head[:8]}{strange}{head[8:]}.{body}.{signature}",
    ):
        assert reason(said) is Reason.MALFORMED


def test_what_is_too_long_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("taken apart")

    monkeypatch.setattr("ivig.trust.token._object", never)
    assert reason(token(padding="x" * 20_000)) is Reason.MALFORMED


@pytest.mark.parametrize("life", [0, -30])
def test_a_token_that_is_over_before_it_begins(life: int) -> None:
    assert reason(token(iat=NOW, exp=NOW + life)) is Reason.TIME


def test_one_client_that_floods_us_locks_out_no_other() -> None:
    replay = Replay(most=2)
    assert [replay.first("a", str(i), 10, 0) for i in range(2)] == [True, True]
    with pytest.raises(Full):
        replay.first("a", "2", 10, 0)
    assert replay.first("b", "0", 10, 0)


def test_a_key_of_another_kind_than_its_algorithm() -> None:
    assert reason(token(kid="two")) is Reason.KEY
    assert reason(token(curve_key(), "ES384", "one")) is Reason.KEY


def test_a_key_that_is_for_another_algorithm() -> None:
    assert reason(token(), keeper(Net(jwk(rsa_key(), "one", alg="RS256")))) is Reason.KEY


def test_another_s_signature() -> None:
    assert reason(token(rsa_key(2048, "theirs"))) is Reason.SIGNATURE


def test_claims_changed_after_signing() -> None:
    head, _, signature = token().split(".")
    forged = unsigned({}, jti="forged").split(".")[1]
    assert reason(f"{head}.{forged}.{signature}") is Reason.SIGNATURE


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"kid": ...}, Reason.HEADER),
        ({"kid": ""}, Reason.HEADER),
        ({"typ": "JOSE"}, Reason.HEADER),
        ({"typ": ...}, Reason.HEADER),
        ({"crit": ["exp"]}, Reason.HEADER),
        ({"kid": "three"}, Reason.KEY),
        ({"jku": "http://localhost/jwks"}, Reason.KEY),
        ({"jku": "https://ehr.example/jwks/"}, Reason.KEY),
        ({"jku": "https://user@ehr.example/jwks"}, Reason.KEY),
        ({"jku": "https://ehr.example/jwks#x"}, Reason.KEY),
        ({"jku": "https://EHR.example/jwks"}, Reason.KEY),
        ({"jku": "file:///etc/passwd"}, Reason.KEY),
        ({"jku": 7}, Reason.HEADER),
    ],
)
def test_headers_that_are_not_taken(header: Json, why: Reason) -> None:
    net = Net(jwk(rsa_key(), "one"))
    assert reason(token(header=header), keeper(net)) is why
    assert all(url == JWKS for url in net.asked), "nothing but the list is ever called"


def test_a_key_that_the_token_brings_along_is_not_looked_at() -> None:
    theirs = rsa_key(2048, "theirs")
    net = Net(jwk(rsa_key(), "one"))
    for header in ({"jwk": jwk(theirs, "one")}, {"x5c": ["MIIB"]}, {"x5u": "https://evil.example/x"}, {"x5t": "abc"}):
        assert reason(token(theirs, header=header), keeper(net)) is Reason.SIGNATURE
        assert admitted(token(header=header), keeper(net))
    assert set(net.asked) == {JWKS}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://ehr.example/issuer/"}, Reason.ISSUER),
        ({"iss": "https://other.example"}, Reason.ISSUER),
        ({"iss": ...}, Reason.ISSUER),
        ({"iss": ["https://ehr.example/issuer"]}, Reason.ISSUER),
        ({"aud": "https://ivig.example/cds-services"}, Reason.AUDIENCE),
        ({"aud": []}, Reason.AUDIENCE),
        ({"aud": ...}, Reason.AUDIENCE),
        ({"aud": {"x": 1}}, Reason.AUDIENCE),
        ({"exp": ...}, Reason.TIME),
        ({"iat": ...}, Reason.TIME),
        ({"exp": NOW - 61}, Reason.TIME),
        ({"iat": NOW + 61}, Reason.TIME),
        ({"nbf": NOW + 61}, Reason.TIME),
        ({"nbf": "soon"}, Reason.TIME),
        ({"exp": "tomorrow"}, Reason.TIME),
        ({"exp": True}, Reason.TIME),
        ({"exp": NOW + 4_000}, Reason.TIME),
        ({"jti": ...}, Reason.CLAIMS),
        ({"jti": ""}, Reason.CLAIMS),
        ({"jti": 7}, Reason.CLAIMS),
        ({"jti": "x" * 2_000}, Reason.CLAIMS),
    ],
)
def test_claims_that_are_not_taken(changed: Json, why: Reason) -> None:
    made = claims(**changed)
    signed = jwt.api_jws.encode(json.dumps(made).encode(), rsa_key(), "RS384", {"kid": "one", "typ": "JWT"})
    assert reason(signed) is why


def test_a_token_is_good_for_one_call() -> None:
    door, said = keeper(), token()
    assert admitted(said, door)
    assert reason(said, door) is Reason.REPLAY


def test_a_bad_signature_uses_up_nobody_s_token() -> None:
    door, said = keeper(), token(jti="mine")
    assert reason(token(rsa_key(2048, "theirs"), jti="mine"), door) is Reason.SIGNATURE
    assert admitted(said, door)


def test_why_is_counted_for_the_metrics() -> None:
    door = keeper()
    reason(token(iss="https://other.example"), door)
    reason("x", door)
    assert door.refused == {Reason.ISSUER: 1, Reason.MALFORMED: 1}


def test_without_tokens_everybody_is_the_development_client() -> None:
    door = Doorkeeper(Settings(auth="off"), (Client("development", cds_hooks="3.0"),), lambda: NOW)
    assert asyncio.run(door.admit("", URL)).cds_hooks == "3.0"


def test_the_development_client_is_nobody_where_tokens_are_asked_for() -> None:
    door = Doorkeeper(Settings(), (Client("development"),), lambda: NOW)
    assert reason(token(iss=""), door) is Reason.ISSUER


# -- replay and rate --------------------------------------------------------------------------------------------------


def test_used_tokens_are_forgotten_when_they_are_over_and_not_before() -> None:
    replay = Replay()
    assert replay.first("a", "x", until=10, now=0)
    assert not replay.first("a", "x", until=10, now=10)
    assert replay.first("b", "x", until=10, now=1)
    assert replay.first("a", "x", until=30, now=11)


def test_when_there_is_no_room_nothing_is_taken() -> None:
    replay = Replay(most=2)
    assert replay.first("a", "1", 10, 0)
    assert replay.first("a", "2", 10, 0)
    with pytest.raises(Full):
        replay.first("a", "3", 10, 0)
    assert replay.first("a", "4", 30, 11)


def test_a_client_that_calls_too_often_is_told_when_to_come_again() -> None:
    rate = Rate()
    taken = [rate.wait("a", 60, 0.0) for _ in range(16)]
    assert taken[:15] == [0] * 15  # a quarter of a minute's calls at once
    assert taken[15] == 1
    assert rate.wait("b", 60, 0.0) == 0
    assert rate.wait("a", 60, 1.0) == 0
    assert rate.wait("a", 0, 1.0) == 0


def test_too_many_is_raised_with_its_wait() -> None:
    door = keeper(calls_per_minute=4)
    admitted(token(), door)
    with pytest.raises(TooMany) as many:
        admitted(token(), door)
    assert many.value.retry_after == 15


# -- the page of the clients ------------------------------------------------------------------------------------------


def test_a_page_of_clients(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    page = tmp_path / "clients.yaml"
    page.write_text(
        """
clients:
  - id: north
    issuer: https://north.example
    jwks_file: keys.json
    algorithms: [RS256, ES384]
    fhir_servers: [https://north.example/fhir]
    rules:
      risk-thrombosis: {mode: shadow, reason: "being measured"}
      lab-missing: {mode: "on"}
  - {id: development, crd: true}
"""
    )
    north, development = load_clients(str(page), RULES)
    assert north.jwks_file == str(tmp_path / "keys.json")
    assert north.algorithms == ("RS256", "ES384")
    assert {name: m.mode for name, m in north.rules.items()} == {"risk-thrombosis": Mode.SHADOW}
    assert development.crd
    assert load_clients("", RULES) == ()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("{id: a, issuer: x}", "needs jwks_urls or jwks_file"),
        ("{id: a, jwks_urls: [https://x.example]}", "needs its issuer"),
        ("{issuer: x}", "needs an id"),
        ("{id: a, isuer: x}", "unknown key `isuer`"),
        ("{id: a, issuer: x, jwks_file: none.json}", "there is no file"),
        ("{id: a, issuer: x, jwks_urls: [ftp://x]}", "is no address"),
        ("{id: a, issuer: x, jwks_urls: [https://u@x.example]}", "is no address"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], algorithms: [none]}", "none is not taken"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], algorithms: [HS256]}", "HS256 is not taken"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], cds_hooks: '1.0'}", "cds_hooks is"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], most_cards: many}", "a whole number"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], crd: perhaps}", "true or false"),
        ("{id: development, rules: {no-rule: {mode: 'off', reason: r}}}", "no rule no-rule"),
        ("{id: development, rules: {lab-missing: {mode: 'off'}}}", "without a reason"),
        ("{id: development, rules: {lab-missing: {mode: loud, reason: r}}}", "on, shadow or off"),
        ("{id: development, rules: {lab-missing: {mode: 'off', reason: r, until: x}}}", "unknown key `until`"),
        ("{id: development, rules: [lab-missing]}", "maps a rule"),
        ("7", "a client is a mapping"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], algorithms: []}", "an empty list"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example], tenants: []}", "an empty list"),
        ("{id: a, issuer: x, jwks_urls: [https://x.example/%2e%2e/y]}", "is no address"),
        (
            "{id: a, issuer: x, jwks_urls: [https://x.example], fhir_servers: [https://x.example/fhir?x=1]}",
            "has a query",
        ),
        ("{id: 'a b', issuer: x, jwks_urls: [https://x.example]}", "an id has letters"),
    ],
)
def test_a_faulty_page_does_not_load_and_says_where(tmp_path: Path, entry: str, what: str) -> None:
    page = tmp_path / "clients.yaml"
    page.write_text(f"clients:\n  - {entry}\n")
    with pytest.raises(KnowledgeFault) as fault:
        load_clients(str(page), RULES)
    assert what in str(fault.value)
    assert str(fault.value).startswith("clients.yaml:")


def test_two_clients_of_one_issuer_or_id(tmp_path: Path) -> None:
    page = tmp_path / "clients.yaml"
    one = "{id: a, issuer: x, jwks_urls: [https://x.example]}"
    page.write_text(f"clients: [{one}, {one}]")
    with pytest.raises(KnowledgeFault) as fault:
        load_clients(str(page), RULES)
    assert "two clients have the id a" in str(fault.value)
    assert "two clients have the issuer x" in str(fault.value)


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    page = tmp_path / "clients.yaml"
    page.write_text(
        "client: x\n"
        "clients:\n"
        "  - id: a\n"
        "    issuer: x\n"
        "    jwks_urls: [https://x.example]\n"
        "  - id: a\n"
        "    jwks_urls: [ftp://x]\n"
        "    issuer: x\n"
    )
    with pytest.raises(KnowledgeFault) as fault:
        load_clients(str(page), RULES)
    assert [f.line for f in fault.value.faults] == [1, 6, 7, 8]


@pytest.mark.parametrize("text", ["", "{}", "clients:", "clients: {}", "clients: x"])
def test_a_page_without_clients_is_a_fault_and_not_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "clients.yaml").write_text(text)
    with pytest.raises(KnowledgeFault, match="`clients` is a list"):
        load_clients(str(tmp_path / "clients.yaml"), RULES)


def test_a_page_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeFault, match="cannot be read"):
        load_clients(str(tmp_path / "none.yaml"), RULES)


# -- at the door ------------------------------------------------------------------------------------------------------


def test_every_hook_address_wants_a_token_and_every_refusal_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    page = tmp_path / "clients.yaml"
    page.write_text(yaml.safe_dump({"clients": [{"id": "ehr", "issuer": ISSUER, "jwks_file": "keys.json"}]}))
    with served(tmp_path, auth="on", clients=str(page), public_base_url="https://ivig.example") as client:
        answers = [
            client.get("/cds-services"),
            posted(client, call([], {}, "p")),
            posted(client, b"no json", Authorization="Bearer x"),
            posted(client, {"feedback": []}, f"{SERVICE}/feedback"),
            posted(client, call([], {}, "p"), Authorization=f"Bearer {token(now=time.time(), iss='https://x')}"),
            posted(client, call([], {}, "p"), "/cds-services/another"),
        ]
        assert {(a.status_code, a.content, a.headers["www-authenticate"]) for a in answers} == {
            (401, answers[0].content, "Bearer")
        }
        good = f"Bearer {token(now=time.time())}"
        assert posted(client, call([], {}, "p"), Authorization=good).json() == {"cards": []}
        assert posted(client, call([], {}, "p"), Authorization=good).status_code == 401
        listed = f"Bearer {token(now=time.time(), aud='https://ivig.example/cds-services')}"
        assert client.get("/cds-services", headers={"Authorization": listed}).status_code == 200
        told = f"Bearer {token(now=time.time(), aud=f'{URL}/feedback')}"
        assert posted(client, {"feedback": 7}, f"{SERVICE}/feedback", Authorization=told).status_code == 400


def test_too_many_calls_are_429_with_their_wait(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    page = tmp_path / "clients.yaml"
    entry = {"id": "ehr", "issuer": ISSUER, "jwks_file": "keys.json", "calls_per_minute": "4"}
    page.write_text(yaml.safe_dump({"clients": [entry]}))
    with served(tmp_path, auth="on", clients=str(page), public_base_url="https://ivig.example") as client:
        answers = [
            posted(client, call([], {}, "p"), Authorization=f"Bearer {token(now=time.time())}") for _ in range(2)
        ]
    assert [a.status_code for a in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 0
