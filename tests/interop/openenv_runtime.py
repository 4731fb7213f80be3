"""OpenEnv's validator with its runtime graders, over a provider that starts the server as a process of this machine."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests
from openenv.validation import Level, run_validation
from openenv.validation.types import CheckStatus, ProviderCapability

GRADED = {
    "static.manifest",
    "runtime.startup",
    "runtime.reward_well_formed",
    "runtime.observation_schema",
    "runtime.state_contract",
}


@dataclass
class Process:
    """A server started for one validation."""

    base_url: str
    process: subprocess.Popen

    def inspect(self):
        return {"pid": self.process.pid}

    def logs(self, max_bytes=65536):
        return f"no more than {max_bytes} bytes of nothing"

    def stop(self):
        self.process.terminate()
        assert self.process.wait(15) == 0


@dataclass
class LocalProcess:
    """Starts the server from its own environment. It cannot enforce a network policy; that grader has to be skipped."""

    server: str
    port: int
    name: str = "local-process"
    capabilities: frozenset = frozenset({ProviderCapability.IMAGE_BUILD})
    supported_network_modes: frozenset = frozenset({"public", "no-network"})

    def build(self, *_):
        return "sha256:" + "0" * 64

    def start(self, spec):
        process = subprocess.Popen([self.server, "serve", "--port", str(self.port)], stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + spec.startup_timeout_s
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{address}/health", timeout=1).json()["status"] == "healthy":
                    return Process(address, process)
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.1)
        process.kill()
        raise RuntimeError("the server did not become healthy")


def main(package, server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    report = run_validation(Path(package), max_level=Level.RUNTIME, provider=LocalProcess(server, port))
    results = {result.check_id: result for result in report.results}
    for check in sorted(GRADED):
        print(f"  {results[check].status.value.upper()} {check}: {'; '.join(results[check].evidence)}")
    assert all(results[check].status is CheckStatus.PASS for check in GRADED)
    failed = [check for check, result in results.items() if result.status in {CheckStatus.FAIL, CheckStatus.ERROR}]
    assert not failed, failed


main(*sys.argv[1:])
