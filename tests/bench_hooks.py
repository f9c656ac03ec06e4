"""The CDS Hooks in the bench: calls per second of CPU without and with tokens, beside HealthChain on the same body.

Three services run side by side and take turns: ours open, ours with RS384, and HealthChain in an environment of its own. What is counted is
the CPU of the whole server process until its records have reached the store: judging, the journal and the database.
Prints nothing; `make bench` prints. By itself, `python tests/bench_hooks.py` measures this alone.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import ivig
from bench_load import framed, post
from bench_server import ROOT, Server
from signing import ISSUER, jwk, jwks, rsa_key, token

SAMPLE = Path(ivig.__file__).parent / "samples" / "hook-order-sign.json"
SERVICE = "/cds-services/ivig-order-check"
HEALTHCHAIN = "healthchain==0.16.1"
ENVIRONMENT = ROOT / "build" / "healthchain"
AT_LEAST = {"hook_calls_per_cpu_s": 2500.0, "hook_calls_per_cpu_s_rs384": 1500.0, "hook_ratio_healthchain": 2.0}
AT_MOST = {"hook_p99_ms": 10.0}
CONNECTIONS = (1, 16)
_DATE = re.compile(r'(?<=")\d{4}-\d\d-\d\d(?=[T"])')
_WRITTEN = date(2026, 11, 20)  # the day the draft of the sample was written

Requests = Callable[[int], list[bytes]]


class Side(NamedTuple):
    """One service with one body."""

    name: str
    server: Server
    requests: Requests
    calls: int  # of one load


def call_of(day: date, grams: float = 70) -> bytes:
    """The sample as if it were written on a day, with all its dates moved together, ordering so much."""
    moved = _DATE.sub(lambda m: str(date.fromisoformat(m[0]) + (day - _WRITTEN)), SAMPLE.read_text(encoding="utf-8"))
    body = json.loads(moved)
    (draft,) = body["context"]["draftOrders"]["entry"]
    draft["resource"]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = grams
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


# -- the services -----------------------------------------------------------------------------------------------------


def healthchain_python() -> Path | None:
    """The Python of HealthChain's environment, made when first needed; None where it cannot be made."""
    python = ENVIRONMENT / "bin" / "python"
    known = ENVIRONMENT / "ready"
    if not known.exists():
        try:
            subprocess.run(
                [sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True, capture_output=True, timeout=120
            )
            # beside it the event loop and the parser that our service has, so that it is the frameworks that are compared
            asked = [str(python), "-m", "pip", "install", "-q", HEALTHCHAIN, "uvloop", "httptools"]
            subprocess.run(asked, check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError):
            return None
        known.touch()
    return python


@contextmanager
def started(**how: Any) -> Iterator[Server]:
    server = Server(**how)
    try:
        server.ready()
        yield server
    finally:
        server.end()


def with_clients(folder: Path) -> dict[str, str]:
    """Settings for one client that signs with RS384, its key in a file."""
    (folder / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    page = folder / "clients.yaml"
    page.write_text(f"clients:\n  - id: bench\n    issuer: {ISSUER}\n    jwks_file: keys.json\n")
    return {"IVIG_AUTH": "on", "IVIG_CLIENTS": str(page), "IVIG_CALLS_PER_MINUTE": "0"}


def same(server: Server, body: bytes, path: str = SERVICE) -> Requests:
    request = post(path, body, f"127.0.0.1:{server.port}")
    return lambda count: [request]


def signed(server: Server, body: bytes) -> Requests:
    """Requests that each carry a token of their own, signed before the clock runs."""
    host = f"127.0.0.1:{server.port}"

    def made(count: int) -> list[bytes]:
        now = datetime.now(UTC).timestamp()
        claims = {"aud": f"http://{host}{SERVICE}", "iat": now - 5, "exp": now + 300}
        return [post(SERVICE, body, host, token(jti=str(uuid.uuid4()), **claims)) for _ in range(count)]

    return made


# -- measuring --------------------------------------------------------------------------------------------------------


def kept(server: Server, patience_s: float = 30) -> None:
    """Wait until the store has taken what was recorded."""
    until = time.monotonic() + patience_s
    while server.health == "/health/ready":
        _, told = server.get(server.health)
        state = json.loads(told)
        if state["records_lost"]:
            raise RuntimeError("records were lost")
        if state["store"] == "up" and not state["journal_lag_bytes"]:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"the store does not follow: {state}")
        time.sleep(0.1)


def once(side: Side, connections: int, calls: int, folder: Path) -> dict[str, float]:
    """One bounded load: CPU of the server per call, and what the caller saw.

    Raises:
        RuntimeError: the service does not answer, or its store does not follow.
    """
    file = folder / "requests"
    file.write_bytes(framed(side.requests(calls)))
    kept(side.server)
    before = side.server.cpu_s()
    arguments = [str(side.server.port), str(file), str(connections), str(calls)]
    command = [sys.executable, str(Path(__file__).parent / "bench_load.py"), *arguments]
    told = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if told.returncode:
        raise RuntimeError(f"{side.name}: {told.stderr.decode()[-400:]}")
    kept(side.server)
    figures = json.loads(told.stdout)
    return {
        "cpu_us": (side.server.cpu_s() - before) / calls * 1e6,
        "per_s": calls / figures["seconds"],
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
    }


def measure(rounds: int = 5) -> tuple[dict[str, float], list[str]]:
    """The figures of build/bench.json, and the lines of the table."""
    today = datetime.now(UTC).date()
    ordinary, faulty = call_of(today), call_of(today, 140)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        off = {"IVIG_AUTH": "off", "IVIG_DATA_DIR": str(folder / "off")}
        on = {**with_clients(folder), "IVIG_DATA_DIR": str(folder / "on")}
        open_, closed = (stack.enter_context(started(settings=settings)) for settings in (off, on))
        sides = [
            Side("no card", open_, same(open_, ordinary), 1000),
            Side("card", open_, same(open_, faulty), 200),
            Side("no card, RS384", closed, signed(closed, ordinary), 1000),
            Side("card, RS384", closed, signed(closed, faulty), 200),
        ]
        python = healthchain_python()
        if python is not None:
            command = (str(python), str(Path(__file__).parent / "bench_healthchain.py"))
            other = stack.enter_context(started(command=command, health="/health"))
            sides.append(Side("HealthChain, counts", other, same(other, ordinary, "/cds" + SERVICE), 1000))
        found: dict[tuple[str, int], list[dict[str, float]]] = {}
        for side in sides:
            once(side, 1, side.calls // 3, folder)
        for _ in range(rounds):
            for side in sides:
                for connections in CONNECTIONS:
                    taken = once(side, connections, side.calls, folder)
                    found.setdefault((side.name, connections), []).append(taken)
    middle = {at: {key: statistics.median(r[key] for r in taken) for key in taken[0]} for at, taken in found.items()}
    return _figures(middle), _table(middle, len(ordinary), python is not None)


def _per_cpu_s(middle: dict[tuple[str, int], dict[str, float]], name: str) -> float:
    """Calls per second of CPU, in the worse of the two loads."""
    return min(1e6 / middle[name, connections]["cpu_us"] for connections in CONNECTIONS)


def _figures(middle: dict[tuple[str, int], dict[str, float]]) -> dict[str, float]:
    figures = {
        "hook_calls_per_cpu_s": _per_cpu_s(middle, "no card"),
        "hook_calls_per_cpu_s_rs384": _per_cpu_s(middle, "no card, RS384"),
        "hook_p50_ms": middle["no card", 1]["p50_ms"],
        "hook_p99_ms": max(middle[name, 1]["p99_ms"] for name in ("no card", "no card, RS384")),
    }
    if ("HealthChain, counts", 1) in middle:
        figures["hook_ratio_healthchain"] = figures["hook_calls_per_cpu_s"] / _per_cpu_s(middle, "HealthChain, counts")
    return figures


def _table(middle: dict[tuple[str, int], dict[str, float]], size: int, compared: bool) -> list[str]:
    heads = ("connections", "CPU us", "per CPU-s", "per s", "p50 ms", "p99 ms")
    rows = [f"{f'a hook call of {size} bytes':26}" + "".join(f"{head:>13}" for head in heads)]
    for (name, connections), one in middle.items():
        values = f"{one['cpu_us']:13.0f}{1e6 / one['cpu_us']:13.0f}{one['per_s']:13.0f}{one['p50_ms']:13.2f}{one['p99_ms']:13.2f}"
        rows.append(f"{name:26}{connections:13}{values}")
    if not compared:
        rows.append(f"without the yardstick: {HEALTHCHAIN} could not be installed into {ENVIRONMENT.relative_to(ROOT)}")
    return rows


if __name__ == "__main__":
    for line in (told := measure())[1]:
        print(line)
    print("\n".join(f"{key:28}{value:10.2f}" for key, value in told[0].items()))
