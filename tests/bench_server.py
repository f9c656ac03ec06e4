"""The service as a process of its own, started and ended by the bench, and what it took of the machine."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BYTECODE = ROOT / "build" / "bytecode"
_SERVE = (sys.executable, "-c", "from ivig.cli import main; main()", "serve", "--port")


class Server:
    """The service, or another one, as a process of its own on a free port.

    Args:
        settings: environment variables beside the ones of this process.
        command: what is run, with the port behind it.
        health: answers 200 once it takes calls.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        command: tuple[str, ...] = _SERVE,
        health: str = "/health/ready",
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.health = health
        self.started = time.perf_counter()
        compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        compiled["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
        self.process = subprocess.Popen(
            [*command, str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=compiled | dict(settings or {}),
        )

    def ready(self, patience_s: float = 30) -> float:
        """Milliseconds from the start of the process until it takes calls."""
        while time.perf_counter() - self.started < patience_s:
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended with {self.process.returncode}")
            try:
                status, _ = self.get(self.health)
            except OSError:
                time.sleep(0.005)
                continue
            if status == 200:
                return (time.perf_counter() - self.started) * 1e3
        raise RuntimeError("the service did not get ready")

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def rss_mib(self) -> float:
        held = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(held[1]) / 1024 if held else float("nan")

    def cpu_s(self) -> float:
        """Seconds of CPU that the process has taken so far, all its threads, in the system too."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
