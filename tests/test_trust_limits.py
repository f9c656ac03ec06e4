"""Who is let in, at the edges: what a refusal costs, what is used up by it, keys that are withdrawn or broken, pages that cannot work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ivig.knowledge.pages import KnowledgeFault
from ivig.settings import Settings
from ivig.trust.clients import Client, load_clients
from ivig.trust.doorkeeper import Doorkeeper, NotTrusted, Reason, TooMany
from ivig.trust.keys import KeyFault, Keys, keys_in
from ivig.trust.replay import Full, Replay
from ivig.trust.token import Verifier
from signing import ISSUER, NOW, URL, curve_key, jwk, jwks, private_jwk, rsa_key, token

JWKS = "https://ehr.example/jwks"
CLIENT = Client("ehr", ISSUER, (JWKS,))


class Net:
    """A key server that says what it is told to say, and counts."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.body, self.status, self.asked, self.wait_s = jwks(*keys), 200, 0, 0.0

    async def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        return httpx.Response(self.status, content=self.body)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


class Door:
    def __init__(self, client: Client = CLIENT, **settings: Any) -> None:
        self.net = Net(jwk(rsa_key(), "one"), jwk(curve_key(), "two"))
        self.keeper = Doorkeeper(Settings(**settings), (client,), lambda: NOW, self.net.transport)

    def admit(self, said: str) -> Client:
        return asyncio.run(self.keeper.admit(f"Bearer {said}", URL))

    def refuses(self, said: str) -> Reason:
        with pytest.raises(NotTrusted) as refused:
            self.admit(said)
        return refused.value.reason


# -- what a refusal costs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "https://elsewhere.example"}, Reason.AUDIENCE),
        ({"iat": NOW - 600, "exp": NOW - 300}, Reason.TIME),
        ({"iat": NOW + 30, "exp": NOW + 20}, Reason.TIME),
        ({"exp": NOW + 4_000}, Reason.TIME),
        ({"jti": ...}, Reason.CLAIMS),
        ({"algorithm": "RS256"}, Reason.ALGORITHM),
        ({"header": {"jku": "http://localhost/jwks"}}, Reason.KEY),
    ],
)
def test_no_key_is_fetched_for_a_token_that_is_refused_without(changed: dict[str, Any], why: Reason) -> None:
    door = Door()
    assert door.refuses(token(**changed)) is why
    assert door.net.asked == 0


@pytest.mark.parametrize("put", [".", "!", " ", "\n", "=", "+", "é"])
def test_a_token_has_one_text(put: str) -> None:
    """A letter that a lenient reader passes over would make many texts of one token."""
    head, body, signature = token().split(".")
    door = Door()
    for changed in (
        f"{head}.{body}.{signature[:8]}{put}{signature[8:]}",
        f"{head}.{body[:8]}{put}{body[8:]}.{signature}",
        f"{head[:8]}{put}{head[8:]}.{body}.{signature}",
    ):
        assert door.refuses(changed) is Reason.MALFORMED
    assert door.admit(f"{head}.{body}.{signature}")


# -- what is used up ----------------------------------------------------------------------------------------------------


def test_a_call_that_comes_too_often_does_not_use_up_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = [0.0]
    monkeypatch.setattr("ivig.trust.doorkeeper.time.monotonic", lambda: ticks[0])
    door = Door(calls_per_minute=4)
    door.admit(token())
    said = token()
    with pytest.raises(TooMany) as many:
        door.admit(said)
    ticks[0] += many.value.retry_after
    assert door.admit(said).id == "ehr"
    assert door.refuses(said) is Reason.REPLAY


def test_a_replay_uses_up_none_of_a_client_s_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivig.trust.doorkeeper.time.monotonic", lambda: 0.0)
    door, said = Door(calls_per_minute=8), token()
    door.admit(said)
    for _ in range(5):
        assert door.refuses(said) is Reason.REPLAY
    assert door.admit(token()).id == "ehr"


def test_of_the_same_token_many_times_at_once_one_is_taken() -> None:
    door, said = Door(), f"Bearer {token()}"
    door.net.wait_s = 0.02

    async def at_once() -> list[Client | BaseException]:
        return await asyncio.gather(*(door.keeper.admit(said, URL) for _ in range(20)), return_exceptions=True)

    told = asyncio.run(at_once())
    assert sum(isinstance(one, Client) for one in told) == 1
    assert {one.reason for one in told if isinstance(one, NotTrusted)} == {Reason.REPLAY}
    assert door.net.asked == 1


def test_a_client_that_fills_its_room_waits_and_the_others_do_not() -> None:
    replay = Replay(most=10)
    assert all(replay.first("a", f"{n}", until=100 + n, now=0) for n in range(10))
    with pytest.raises(Full) as full:
        replay.first("a", "one more", until=200, now=0)
    assert full.value.retry_after == 100
    assert not replay.used("a", "one more")
    assert all(replay.used("a", f"{n}") for n in range(10))
    assert replay.first("b", "one more", until=200, now=0)
    assert replay.first("a", "one more", until=200, now=101)


def test_a_room_that_is_full_is_429_and_not_401(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivig.trust.replay._MOST", 1)
    monkeypatch.setattr(Replay.__init__, "__defaults__", (1,))
    door = Door()
    door.admit(token())
    with pytest.raises(TooMany):
        door.admit(token())


def test_where_tokens_are_not_asked_for_calls_are_counted_only_by_a_limit_that_was_named() -> None:
    async def calls(door: Door, many: int) -> None:
        for _ in range(many):
            await door.keeper.admit("", URL)

    asyncio.run(calls(Door(auth="off"), 7_000))
    for door in (Door(auth="off", calls_per_minute=4), Door(Client("development", calls_per_minute=4), auth="off")):
        asyncio.run(calls(door, 1))
        with pytest.raises(TooMany):
            asyncio.run(calls(door, 1))


# -- keys ---------------------------------------------------------------------------------------------------------------

BROKEN = [
    None,
    7,
    [],
    {},
    jwk(rsa_key(), "bad", key_ops=7),
    {**jwk(rsa_key(), "bad"), "kty": ["RSA"]},
    {**jwk(rsa_key(), "bad"), "n": 7},
    {**jwk(rsa_key(), "bad"), "n": "A" * 20_000},
    {**jwk(rsa_key(), "bad"), "e": jwk(rsa_key(), "bad")["n"]},
    {k: v for k, v in private_jwk(rsa_key(), "bad").items() if k != "d"},
    {**jwk(rsa_key(), "bad"), "k": "c2VjcmV0"},
    {**jwk(curve_key(), "bad"), "crv": "secp256k1"},
    {**jwk(curve_key(), "bad"), "y": jwk(curve_key(), "bad")["x"]},
    {**jwk(curve_key(), "bad"), "crv": {}},
]


@pytest.mark.parametrize("row", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_key_takes_none_of_the_others_with_it(row: Any) -> None:
    assert set(keys_in(json.dumps({"keys": [row, jwk(rsa_key(), "good"), row]}).encode())) == {"good"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_that_were_all_withdrawn_verify_nothing_more() -> None:
    net, clock = Net(jwk(rsa_key(), "one")), Clock()
    keys = Keys(False, net.transport, clock)

    async def run() -> None:
        assert await keys.find(CLIENT, "one")
        net.body, clock.now = jwks(), 4_000
        with pytest.raises(KeyFault):
            await keys.find(CLIENT, "one")

    asyncio.run(run())


def test_an_ageing_set_is_fetched_aside_and_nobody_waits() -> None:
    net, clock = Net(jwk(rsa_key(), "one")), Clock()
    keys = Keys(False, net.transport, clock)

    async def run() -> None:
        await keys.find(CLIENT, "one")
        net.wait_s, clock.now = 30, 3_000
        async with asyncio.timeout(1):
            for _ in range(5):
                assert await keys.find(CLIENT, "one")
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert net.asked == 2

    asyncio.run(run())


def test_the_keys_are_there_before_the_first_call() -> None:
    door = Door()

    async def run() -> None:
        door.keeper.warm()
        await asyncio.sleep(0.05)
        assert door.net.asked == 1
        await door.keeper.admit(f"Bearer {token()}", URL)
        assert door.net.asked == 1
        await door.keeper.aclose()

    asyncio.run(run())


def test_a_key_set_that_goes_and_comes_back_is_told_once_each() -> None:
    net, clock, told = Net(jwk(rsa_key(), "one")), Clock(), []
    keys = Keys(False, net.transport, clock, log=lambda event, why: told.append((event, why)))

    async def run() -> None:
        await keys.find(CLIENT, "one")
        net.status = 500
        for now in range(4_000, 9_000, 100):
            clock.now = now
            await keys.find(CLIENT, "one")
        net.status, clock.now = 200, 20_000
        await keys.find(CLIENT, "one")
        await asyncio.sleep(0.01)

    asyncio.run(run())
    assert told == [
        ("key set cannot be had", f"{JWKS}: the key set's server answers 500"),
        ("key set is there again", f"{JWKS}: ok"),
    ]


# -- the page -----------------------------------------------------------------------------------------------------------


def faults(folder: Path, text: str, private: bool = False) -> list[str]:
    page = folder / "clients.yaml"
    page.write_text(text)
    with pytest.raises(KnowledgeFault) as told:
        load_clients(str(page), (), private)
    return str(told.value).splitlines()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://ehr.example/jwks", "is not https"),
        ("https://ehr.example/../jwks", "is no address"),
        ("https://ehr.example/%2e%2e/jwks", "is no address"),
        ("https://ehr.example\\\\@evil.example/", "is no address"),
    ],
)
@pytest.mark.parametrize("key", ["jwks_urls", "fhir_servers"])
def test_an_address_that_would_never_be_called_is_a_fault_of_the_page(
    tmp_path: Path, key: str, url: str, says: str
) -> None:
    others = "" if key == "jwks_urls" else "    jwks_urls: [https://x.example]\n"
    (told,) = faults(tmp_path, f"clients:\n  - id: a\n    issuer: x\n{others}    {key}: ['{url}']\n")
    assert told.startswith(f"clients.yaml:{4 if key == 'jwks_urls' else 5}: ")
    assert says in told


def test_addresses_without_tls_are_taken_where_private_ones_are_allowed(tmp_path: Path) -> None:
    page = tmp_path / "clients.yaml"
    page.write_text("clients: [{id: a, issuer: x, jwks_urls: [http://10.0.0.1/jwks]}]")
    assert load_clients(str(page), (), private=True)[0].jwks_urls == ("http://10.0.0.1/jwks",)


def test_a_page_without_clients_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "# nothing yet\n") == ["clients.yaml:1: `clients` is a list, and has to be there"]
    assert faults(tmp_path, "clients: {}\n") == ["clients.yaml:1: `clients` is a list, and has to be there"]


def test_a_file_without_a_usable_key_is_a_fault(tmp_path: Path) -> None:
    text = "clients:\n  - id: a\n    issuer: x\n    jwks_file: keys.json\n"
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(1024), "short")))
    assert faults(tmp_path, text) == ["clients.yaml:4: keys.json: no usable key in the set"]
    (tmp_path / "keys.json").write_text("<html>")
    assert faults(tmp_path, text) == ["clients.yaml:4: keys.json: not a JWK set"]


def test_two_clients_of_one_name_are_told_at_the_second(tmp_path: Path) -> None:
    one = "  - {id: a, issuer: x, jwks_urls: [https://x.example]}\n"
    assert faults(tmp_path, f"clients:\n{one}{one}") == [
        "clients.yaml:3: two clients have the id a",
        "clients.yaml:3: two clients have the issuer x",
    ]


# -- the diagnosis ------------------------------------------------------------------------------------------------------


def traced(said: str, client: Client = CLIENT) -> dict[str, bool]:
    told: dict[str, bool] = {}
    net = Net(jwk(rsa_key(), "one"))
    verifier = Verifier((client,), Keys(False, net.transport), Replay(), lambda: NOW)

    async def run() -> None:
        try:
            await verifier.verify(said, URL, lambda what, holds, _: told.update({what: holds}))
        except NotTrusted:
            assert not all(told.values())
        else:
            assert all(told.values())

    asyncio.run(run())
    return told


def test_every_fault_of_a_token_is_told_and_not_the_first_alone() -> None:
    other = rsa_key(2048, "x")
    faulty = token(other, header={"typ": "JOSE"}, aud="https://elsewhere.example", iat=NOW - 600, exp=NOW - 300, jti="")
    wrong = {what for what, holds in traced(faulty).items() if not holds}
    assert wrong == {"typ is JWT", "aud is the address called", "jti is there", "it is not over", "the signature holds"}


def test_of_a_stranger_s_token_is_told_what_can_be_told() -> None:
    told = traced(token(iss="https://stranger.example", exp=NOW - 300, iat=NOW - 600))
    assert {what for what, holds in told.items() if not holds} == {"iss is a client's issuer", "it is not over"}
    assert "the signature holds" not in told


@pytest.mark.parametrize("said", ["", "x", "a.b.c", f"{'x' * 20_000}.y.z", "e30.e30.!"])
def test_of_what_is_no_token_is_told_where_it_stops_to_be_one(said: str) -> None:
    assert list(traced(said).values()).count(False) >= 1


def test_a_token_that_holds_is_told_in_full_and_not_used_up() -> None:
    told = traced(token())
    assert all(told.values())
    assert {"the key is found", "the signature holds", "it is not over", "the tenant is one of the client's"} <= set(
        told
    )


def test_a_claim_nested_deep_is_shown_without_falling_over() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    assert not traced(token(header={"typ": deep}))["typ is JWT"]
    assert not traced(token(aud=deep))["aud is the address called"]
