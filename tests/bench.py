"""Speed and memory, as ratios where the machine would otherwise decide: prints a table and writes build/bench.json.

Not a test: nothing here passes or fails. CPU time, medians of interleaved rounds, the collector as the service sets it. The service is
started with its compiled bytecode at hand, as an installed one has it; the first of several starts compiles it into build/bytecode.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import orjson

import bench_hooks
import ivig
from bench_load import load, post
from bench_server import ROOT, Server
from ivig.app import settle
from ivig.core.judge import Case
from ivig.core.rule import FACTS
from ivig.validator import Validator, library_of
from ivig.wire.decode import decode
from ivig.wire.outcome import encode, outcome
from ivig.wire.read import Asked, read

SAMPLE = Path(ivig.__file__).parent / "samples" / "bench.json"
FAULTY = Path(ivig.__file__).parent / "samples" / "02-cidp-obese-on-actual-weight-advise.json"
WRITTEN = ROOT / "build" / "bench.json"
PATH = "/fhir/$validate-ivig-order"
TARGETS = {"core_ratio_orjson": 3.5, "knowledge_ms": 500.0, "start_ms": 1500.0, "rss_mib": 130.0, **bench_hooks.AT_MOST}
MOST_SHARE = 5.0  # percent of the core that one rule or fact may take

Work = Callable[[], object]


def rounds(works: dict[str, Work], count: int = 41, slice_s: float = 0.02) -> dict[str, float]:
    """Microseconds of CPU per call of each work: the median of interleaved rounds."""
    repeats = {}
    for name, work in works.items():
        for _ in range(20):
            work()
        repeats[name] = max(1, int(slice_s / max(_cpu(work, 20) / 20, 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            taken[name].append(_cpu(work, repeats[name]) / repeats[name])
    return {name: statistics.median(times) * 1e6 for name, times in taken.items()}


def _cpu(work: Work, repeats: int) -> float:
    start = time.process_time_ns()
    for _ in range(repeats):
        work()
    return (time.process_time_ns() - start) / 1e9


# -- the core ---------------------------------------------------------------------------------------------------------


def knowledge(times: int = 5) -> float:
    """Milliseconds of CPU from the pages on disk to a library: the best of several."""
    return min(_cpu(lambda: library_of("us-default"), 1) for _ in range(times)) * 1e3


def core(body: bytes) -> tuple[dict[str, float], list[tuple[str, float]], str]:
    """Times of the core and its stages, the most costly rules and facts, and what was judged."""
    library = library_of("us-default")
    validator = Validator(library)
    settle()
    report, decoded = validator.validate(body)
    reading = read(decoded, library.lexicon, Asked())
    (order,) = reading.orders
    told = outcome(report, reading.broken)
    (judgement,) = report.judgements
    works: dict[str, Work] = {
        "orjson.loads": lambda: orjson.loads(body),
        "core": lambda: validator.validate(body),
        "decode": lambda: decode(body),
        "read": lambda: read(decoded, library.lexicon, Asked()),
        "judge": lambda: validator.judge(order),
        "render": lambda: encode(outcome(report, reading.broken)),
        "outcome": lambda: outcome(report, reading.broken),
        "encode": lambda: encode(told),
    }
    # By themselves: they leave the memory in such pieces that everything beside them is slower. A report keeps the reasons it has made:
    # made anew, judging is a part of it.
    faulty = read(decode(FAULTY.read_bytes()), library.lexicon, Asked()).orders[0]
    found = validator.judge(faulty)
    on_demand: dict[str, Work] = {
        "judge and render in full": lambda: encode(outcome(validator.report(reading), reading.broken, full=True)),
        "remedies": lambda: validator.remedies(faulty, found),
        "vials": lambda: validator.vials(faulty),
    }
    times = rounds(works)
    times |= rounds(on_demand)
    about = f"{len(body)} bytes, {validator.rules} rules, verdict {judgement.verdict.value}, judged {judgement.judged}"
    return times, costs(validator, order), about


def costs(validator: Validator, order: Any) -> list[tuple[str, float]]:
    """Microseconds of each fact and rule by itself, given the facts it asks for: the best of some, by the clock."""
    judge = validator._judge  # the breakdown looks inside, the figures do not
    case = Case({"order": order, "book": validator.library.on(order.day)})
    for entry in judge.entries:
        if entry.check is not None:
            judge._asked(entry, case)
    whole = [("rule " + e.rule.name, lambda e=e: judge._asked(e, case)) for e in judge.entries if e.check is not None]
    whole += [("fact " + n, lambda f=FACTS[n].make: case.ask(f)) for n in list(case.values) if n in FACTS]
    found = []
    for name, work in whole:
        best = []
        for _ in range(7):
            start = time.perf_counter_ns()
            for _ in range(30):
                work()
            best.append((time.perf_counter_ns() - start) / 30 / 1e3)
        found.append((name, min(best)))
    return sorted(found, key=lambda row: -row[1])


# -- over HTTP --------------------------------------------------------------------------------------------------------


def over_http(body: bytes, calls: int = 3000) -> dict[str, float]:
    server = Server()
    try:
        figures = {"start_ms": server.ready(), "start_cpu_ms": server.cpu_s() * 1e3}
        request = post(PATH, body, "bench")
        load(server.port, repeat(request, 200), 1)
        figures["rss_mib"] = server.rss_mib()
        before = server.cpu_s()
        _, times = load(server.port, repeat(request, calls), 1)
        figures["http_cpu_ms"] = (server.cpu_s() - before) / calls * 1e3
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        figures |= {"http_p50_ms": cuts[49], "http_p99_ms": cuts[98], "rss_later_mib": server.rss_mib()}
        return figures
    finally:
        server.end()


def started(times: int = 3) -> float:
    """The median start of several."""
    found = []
    for _ in range(times):
        server = Server()
        try:
            found.append(server.ready())
        finally:
            server.end()
    return statistics.median(found)


# -- the table --------------------------------------------------------------------------------------------------------


STAGES = (
    "orjson.loads",
    "core",
    "decode",
    "read",
    "judge",
    "render",
    "outcome",
    "encode",
    "judge and render in full",
    "remedies",
    "vials",
)
_PARTS = ("decode", "read", "judge", "outcome", "encode")


def _beside(key: str, value: float) -> str:
    """The target of a figure, and whether it was missed."""
    if key in bench_hooks.AT_LEAST:
        least = bench_hooks.AT_LEAST[key]
        return f"  (at least {least:g}){'  missed' if value < least else ''}"
    most = TARGETS.get(key)
    return "" if most is None else f"  (at most {most:g}){'  missed' if value > most else ''}"


def main() -> None:
    body = SAMPLE.read_bytes()
    http_figures = over_http(body)  # the first start, which compiles
    http_figures["start_ms"] = started()
    times, costly, about = core(body)
    loaded = knowledge()
    yardstick = times["orjson.loads"]
    figures = {
        "core_ratio_orjson": times["core"] / yardstick,
        "render_ratio_orjson": times["render"] / yardstick,
        "remedies_ms": times["remedies"] / 1e3,  # of one faulty order, when a door asks
        "render_full_ratio_orjson": times["judge and render in full"] / yardstick,
        "knowledge_ms": loaded,
        **{key: http_figures[key] for key in ("http_p50_ms", "http_p99_ms", "start_ms", "rss_mib")},
    }
    hooked, rows = bench_hooks.measure()
    figures = {key: round(value, 3) for key, value in (figures | hooked).items()}
    print(f"{about}; Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
    for key, value in figures.items():
        print(f"{key:28}{value:10.2f}{_beside(key, value)}")
    print(f"\n{'stage':26}{'CPU us':>10}{'x orjson':>10}")
    for name in STAGES:
        if name in times:
            print(f"{'  ' * (name in _PARTS) + name:26}{times[name]:10.1f}{times[name] / yardstick:10.2f}")
    print(f"{'HTTP, CPU of the server':26}{http_figures['http_cpu_ms'] * 1e3:10.1f}")
    print(f"{'first start, it compiles':26}{http_figures['start_cpu_ms'] * 1e3:10.0f}")
    print(f"\n{'the most costly by themselves':46}{'us':>8}{'% of core':>12}  (at most {MOST_SHARE:g})")
    for name, cost in costly[:10]:
        share = cost / times["core"] * 100
        print(f"{name:46}{cost:8.1f}{share:12.1f}{'  too dear' if share > MOST_SHARE else ''}")
    print()
    for row in rows:
        print(row)
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwritten to {WRITTEN.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
