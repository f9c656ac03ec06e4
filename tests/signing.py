"""Keys and tokens of clients, for the tests of who is let in."""

from __future__ import annotations

import asyncio
import json
import uuid
from functools import lru_cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from r4 import Json

ISSUER = "https://ehr.example/issuer"
URL = "https://ivig.example/cds-services/ivig-order-check"
NOW = 1_800_000_000.0
JWKS = "https://ehr.example/jwks"


@lru_cache
def rsa_key(bits: int = 2048, name: str = "") -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@lru_cache
def curve_key(curve: str = "P-384") -> Any:
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[curve])


def jwk(key: Any, kid: str, **more: Any) -> Json:
    algorithm: Any = RSAAlgorithm if hasattr(key, "private_numbers") and hasattr(key, "decrypt") else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


def private_jwk(key: Any, kid: str) -> Json:
    return {**json.loads(RSAAlgorithm.to_jwk(key)), "kid": kid}


def jwks(*keys: Json) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def claims(now: float = NOW, **changed: Any) -> Json:
    """Claims that hold; `...` leaves one out."""
    made = {"iss": ISSUER, "aud": URL, "iat": now - 5, "exp": now + 300, "jti": str(uuid.uuid4())} | changed
    return {k: v for k, v in made.items() if v is not ...}


def token(
    key: Any = None, algorithm: str = "RS384", kid: str = "one", header: Json | None = None, **changed: Any
) -> str:
    """A signed token; `header` and claims as changed, `...` leaves one out."""
    top = {k: v for k, v in ({"kid": kid, "typ": "JWT"} | (header or {})).items() if v is not ...}
    typed = "typ" not in top
    return jwt.encode(claims(**changed), key or rsa_key(), algorithm, {**top, "typ": None} if typed else top)


class Net:
    """The key server's side of the wire: what it answers, and how often it was asked."""

    def __init__(self, *keys: Json, answer: Any = None) -> None:
        self.body, self.answer, self.asked = jwks(*keys), answer, list[str]()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.answer is not None:
            made = self.answer(request)
            return await made if asyncio.iscoroutine(made) else made
        return httpx.Response(200, content=self.body)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)
