"""The keys of clients: which are taken, how long they are kept, and what becomes of them while their server is in trouble."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from ivig.trust import keys as room
from ivig.trust.clients import Client
from ivig.trust.keys import KeyFault, Keys, keys_in
from serving import answering
from signing import ISSUER, JWKS, Net, curve_key, jwk, jwks, private_jwk, rsa_key


def test_only_public_signing_keys_of_good_size_are_taken() -> None:
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}
    listed = (
        jwk(rsa_key(), "good"),
        jwk(curve_key(), "curve"),
        jwk(rsa_key(1024), "short"),
        jwk(rsa_key(), "encrypts", use="enc"),
        jwk(rsa_key(), "elsewhere", key_ops=["encrypt"]),
        private_jwk(rsa_key(), "private"),
        secret,
        {"kty": "RSA", "kid": "broken", "n": "x"},
        {"kty": "RSA"},
    )
    assert set(keys_in(jwks(*listed))) == {"good", "curve"}


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b"[" * 100_000])
def test_what_is_no_key_set(text: bytes) -> None:
    with pytest.raises(KeyFault):
        keys_in(text)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def rotating(net: Net) -> tuple[Keys, Clock, Client]:
    clock = Clock()
    return Keys(False, net.transport, clock), clock, Client("ehr", ISSUER, (JWKS,))


def test_a_key_set_is_fetched_once_and_again_when_a_key_is_new() -> None:
    net = Net(jwk(rsa_key(), "one"))
    keys, clock, client = rotating(net)

    async def run() -> None:
        for _ in range(5):
            await keys.find(client, "one")
        assert len(net.asked) == 1
        with pytest.raises(KeyFault):
            await keys.find(client, "new")  # not again so soon: whoever invents key ids makes us call nobody
        assert len(net.asked) == 1
        net.body = jwks(jwk(rsa_key(2048, "new"), "new"))
        clock.now += 11
        assert (await keys.find(client, "new")).kid == "new"
        with pytest.raises(KeyFault):
            await keys.find(client, "one")  # a key that was withdrawn verifies nothing more

    asyncio.run(run())


def test_calls_at_once_share_one_fetch() -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return httpx.Response(200, content=jwks(jwk(rsa_key(), "one")))

    net = Net(answer=slow)
    keys, _, client = rotating(net)

    async def run() -> None:
        await asyncio.gather(*(keys.find(client, "one") for _ in range(20)))

    asyncio.run(run())
    assert len(net.asked) == 1


FAULTS = {
    "500": lambda _: httpx.Response(500),
    "429": lambda _: httpx.Response(429),
    "HTML": lambda _: httpx.Response(200, text="<html>busy</html>"),
    "a redirect": lambda _: httpx.Response(302, headers={"Location": "https://evil.example/jwks"}),
    "too much": lambda _: httpx.Response(200, content=b" " * 600_000),
}


def _cut(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("cut")


@pytest.mark.parametrize("fault", [*FAULTS.values(), _cut], ids=[*FAULTS, "cut off"])
def test_while_the_key_server_fails_the_keys_at_hand_are_used_and_it_is_not_hammered(fault: Any) -> None:
    net = Net(jwk(rsa_key(), "one"))
    keys, clock, client = rotating(net)

    async def run() -> None:
        await keys.find(client, "one")
        net.answer = fault
        clock.now = 4_000  # past its freshness
        assert (await keys.find(client, "one")).kid == "one"
        asked = len(net.asked)
        for _ in range(10):
            await keys.find(client, "one")
        assert len(net.asked) == asked
        clock.now = 100_000  # past all use
        with pytest.raises(KeyFault):
            await keys.find(client, "one")
        assert all(url == JWKS for url in net.asked)

    asyncio.run(run())


def test_keys_from_a_file_and_none_from_where_it_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    client = Client("ehr", ISSUER, jwks_file=str(tmp_path / "keys.json"))
    net = Net()
    keys = Keys(False, net.transport, Clock())
    assert asyncio.run(keys.find(client, "one")).kid == "one"
    with pytest.raises(KeyFault):
        asyncio.run(keys.find(client, "one", "https://ehr.example/jwks"))
    assert net.asked == []


def test_a_real_key_server_and_one_at_a_private_address() -> None:
    with answering(jwks(jwk(rsa_key(), "one"))) as base:
        url = f"{base}/jwks"
        client = Client("ehr", ISSUER, (url,))
        assert asyncio.run(Keys(private=True).find(client, "one", url)).kid == "one"
        with pytest.raises(KeyFault, match="may not be called"):
            asyncio.run(Keys(private=False).find(client, "one", url))


# -- while its server is in trouble -----------------------------------------------------------------------------------


def test_one_broken_key_spoils_none_beside_it() -> None:
    odd: tuple[Any, ...] = (
        7,
        None,
        {"kty": ["RSA"], "kid": "a"},
        {"kty": "RSA", "kid": 7},
        {**jwk(rsa_key(), "b"), "key_ops": 7},
        {**jwk(rsa_key(), "c"), "use": ["sig"]},
        {**jwk(curve_key(), "d1"), "crv": {"P": 384}},
        {**jwk(curve_key(), "e1"), "x": "AAAA"},
        {**jwk(curve_key(), "f1"), "crv": "P-256"},
        {**jwk(rsa_key(), "g"), "e": "AQ"},
        {**jwk(rsa_key(), "h"), "n": "A" * 8_000},
        {**jwk(rsa_key(), "i"), "p": "AQAB"},
    )
    assert set(keys_in(jwks(*odd, jwk(rsa_key(), "good")))) == {"good"}


def test_a_set_that_grows_old_is_fetched_beside_the_calls() -> None:
    gate = asyncio.Event()
    net = Net(jwk(rsa_key(), "one"))
    keys, clock, client = rotating(net)

    async def slow(_: httpx.Request) -> httpx.Response:
        await gate.wait()
        return httpx.Response(200, content=net.body)

    async def run() -> None:
        await keys.find(client, "one")
        net.answer, clock.now = slow, 3_000
        for _ in range(3):
            assert (await asyncio.wait_for(keys.find(client, "one"), 0.5)).kid == "one"
            await asyncio.sleep(0)
        assert len(net.asked) == 2
        gate.set()
        await asyncio.sleep(0.05)
        clock.now = 6_000  # counted from the second fetch: fresh
        await keys.find(client, "one")
        await asyncio.sleep(0.05)
        await keys.aclose()

    asyncio.run(run())


def test_a_server_that_is_down_is_not_waited_for() -> None:
    net = Net(jwk(rsa_key(), "one"))
    keys, clock, client = rotating(net)

    async def hanging(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async def run() -> None:
        await keys.find(client, "one")
        net.answer, clock.now = FAULTS["500"], 4_000
        await keys.find(client, "one")
        net.answer, clock.now = hanging, 8_000
        assert (await asyncio.wait_for(keys.find(client, "one"), 0.5)).kid == "one"
        await asyncio.sleep(0)
        await keys.aclose()  # ends the fetch that still runs

    asyncio.run(run())


def test_the_pause_grows_while_a_server_fails_and_is_short_again_when_it_is_back() -> None:
    net = Net(jwk(rsa_key(), "one"), answer=FAULTS["429"])
    keys, clock, client = rotating(net)

    async def run() -> None:
        tried: list[float] = []
        for second in range(0, 3_000, 5):
            clock.now = second
            before = len(net.asked)
            with pytest.raises(KeyFault, match="429"):
                await keys.find(client, "one")
            if len(net.asked) > before:
                tried.append(second)
        gaps = [b - a for a, b in itertools.pairwise(tried)]
        assert gaps == sorted(gaps)
        assert (gaps[0], gaps[-1]) == (20, 900)
        net.answer, clock.now = None, 5_000
        await keys.find(client, "one")
        clock.now += 11
        with pytest.raises(KeyFault):
            await keys.find(client, "new")
        assert len(net.asked) == len(tried) + 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (httpx.Response(500), "500"),
        (httpx.Response(429), "429"),
        (httpx.Response(302, headers={"Location": "https://ehr.example/else"}), "302"),
        (httpx.Response(200, text="<html>"), "not a JWK set"),
        (httpx.Response(200, content=b" " * 600_000), "too large"),
        (httpx.ConnectError("x"), "ConnectError"),
        (httpx.ReadTimeout("x"), "ReadTimeout"),
        (httpx.RemoteProtocolError("x"), "RemoteProtocolError"),
    ],
)
def test_what_the_wire_does_is_a_fault_with_a_word(reply: Any, why: str) -> None:
    with respx.mock(assert_all_called=False) as wire:
        asked = wire.get(JWKS).mock(
            **({"return_value": reply} if isinstance(reply, httpx.Response) else {"side_effect": reply})
        )
        elsewhere = wire.get("https://ehr.example/else").respond(200, content=jwks(jwk(rsa_key(), "one")))
        with pytest.raises(KeyFault, match=why):
            asyncio.run(Keys().find(Client("ehr", ISSUER, (JWKS,)), "one"))
        assert (asked.call_count, elsewhere.call_count) == (1, 0)


def test_a_server_that_is_slow_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_TIMEOUT_S", 0.1)

    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(10)
        raise AssertionError

    keys, _, client = rotating(Net(answer=slow))
    with pytest.raises(KeyFault, match="TimeoutError"):
        asyncio.run(asyncio.wait_for(keys.find(client, "one"), 2))


@pytest.mark.parametrize(
    "jku",
    [
        "http://127.0.0.1/jwks",
        "https://localhost/jwks",
        "https://[::1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://evil.example/jwks",
        "https://ehr.example@evil.example/jwks",
        "https://evil.example/?https://ehr.example/jwks",
        "https://evil.example#https://ehr.example/jwks",
        f"{JWKS}/../evil",
        f"{JWKS}/evil",
        f"{JWKS}?x=1",
        f"{JWKS}#x",
        f"{JWKS} ",
        "https://ehr.example.evil.example/jwks",
        "https://ehr.example:8443/jwks",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_on_the_list_is_never_called(jku: str) -> None:
    net = Net(jwk(rsa_key(), "one"))
    keys, _, client = rotating(net)
    with pytest.raises(KeyFault, match="list"):
        asyncio.run(keys.find(client, "one", jku))
    assert net.asked == []


def test_offline_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    net = Net(jwk(rsa_key(), "one"))
    keys = Keys(False, net.transport, Clock(), offline=True)
    both = Client("ehr", ISSUER, (JWKS,), jwks_file=str(tmp_path / "keys.json"))
    assert asyncio.run(keys.find(both, "one")).kid == "one"
    for client, jku in ((both, JWKS), (Client("b", ISSUER, (JWKS,)), "")):
        with pytest.raises(KeyFault, match="offline"):
            asyncio.run(keys.find(client, "one", jku))
    assert net.asked == []
