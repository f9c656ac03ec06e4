"""Calls of the service that is looked at: with a token for each, never following a redirect, never raising for what it answers.

Needs httpx and PyJWT, so it is imported by the command alone.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any, Self

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

_MOST_BYTES = 16 * 1024 * 1024
_LIFE_S = 300
JSON = "application/json"


class Unreachable(Exception):
    """Nobody answers at the address."""


class Answered(Struct, frozen=True):
    """What came back. `status` is 0 where nothing did; `tree` is None where the body is no JSON."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_s: float
    fault: str = ""

    @property
    def tree(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def told(self) -> str:
        return str(self.status) if self.status else f"no answer ({self.fault})"

    @property
    def broke(self) -> bool:
        """A fault of the service's own, or no answer at all. A 503 that says when to come back is none."""
        if self.status == 503 and "retry-after" in self.headers:
            return False
        return self.status >= 500 or self.status == 0


class Signer(Struct, frozen=True):
    """Makes tokens of a client.

    Args:
        key: a private key as `cryptography` holds it: to read it from its file takes longer than to sign with it.
    """

    key: Any
    issuer: str
    kid: str
    algorithm: str = "RS384"

    @classmethod
    def of(cls, file: Path, issuer: str, kid: str, algorithm: str) -> Self:
        """From a file with a private key, as PEM or JWK.

        Raises:
            ValueError, OSError: it holds no such key.
        """
        raw = file.read_bytes()
        try:
            is_jwk = raw.lstrip().startswith(b"{")
            key = jwt.PyJWK(json.loads(raw), algorithm).key if is_jwk else load_pem_private_key(raw, None)
            signer = cls(key, issuer, kid, algorithm)
            signer.token("https://example.org")
        except (jwt.PyJWTError, TypeError, ValueError, AttributeError, UnsupportedAlgorithm) as fault:
            # By its kind alone: the text may hold a part of the key.
            raise ValueError(f"no private key for {algorithm} ({type(fault).__name__})") from None
        return signer

    def token(self, audience: str, algorithm: str = "", **claims: Any) -> str:
        """A token for one address; `algorithm` none makes one without a signature."""
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + _LIFE_S,
            "jti": str(uuid.uuid4()),
        } | claims
        chosen = algorithm or self.algorithm
        headers = {"kid": self.kid, "typ": "JWT"}
        return jwt.encode(told, "" if chosen == "none" else self.key, chosen, headers)


class Caller:
    """Calls below the base address of a service; counted, so that a run is bounded.

    Args:
        base: what stands before `/cds-services`.
        transport: for tests.
    """

    def __init__(
        self, base: str, signer: Signer | None, timeout_s: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base = base.rstrip("/").removesuffix("/cds-services")
        self.signer = signer
        self.calls = 0
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False, transport=transport, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def url(self, *path: str) -> str:
        return "/".join((self.base, "cds-services", *path))

    def get(self, url: str, token: str | None = None) -> Answered:
        return self._send("GET", url, b"", "", token)

    def post(self, url: str, body: Any, media: str = JSON, token: str | None = None) -> Answered:
        """`body`: bytes as they are, or anything that JSON can say. `token`: None for a good one, '' for none."""
        written = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._send("POST", url, written, media, token)

    def _send(self, method: str, url: str, body: bytes, media: str, token: str | None) -> Answered:
        headers = {"Accept": JSON} | ({"Content-Type": media} if media else {})
        bearer = self.signer.token(url) if token is None and self.signer is not None else token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        self.calls += 1
        started = time.perf_counter()
        try:
            with self._client.stream(method, url, content=body or None, headers=headers) as answer:
                got = bytearray()
                for chunk in answer.iter_bytes():
                    got += chunk
                    if len(got) > _MOST_BYTES:
                        return Answered(0, {}, b"", time.perf_counter() - started, f"more than {_MOST_BYTES} bytes")
                return Answered(answer.status_code, dict(answer.headers), bytes(got), time.perf_counter() - started)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return Answered(0, {}, b"", time.perf_counter() - started, type(fault).__name__)
