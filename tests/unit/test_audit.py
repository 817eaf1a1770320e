"""`make audit` with the real pip-audit: against a service of our own, and without a network."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.audit import audit

FLAW = {
    "id": "TEST-2026-1",
    "affected": [
        {
            "package": {"name": "rusty", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
            "versions": ["1.0"],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """Answers as the vulnerability service does: one package has a flaw."""

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"vulns": [FLAW]} if question["package"]["name"] == "rusty" else {}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Not on standard error."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def options(tmp_path: Path, service: str, *pins: str) -> tuple[str, ...]:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(pins))
    return "-s", "osv", "--osv-url", service, "-r", str(requirements), "--no-deps", "--disable-pip"


def test_a_package_that_is_known_to_be_vulnerable_fails(
    tmp_path: Path, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(*options(tmp_path, service, "sound==2.0", "rusty==1.0")) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "rusty 1.0: TEST-2026-1, fixed in 1.1"
    assert last.startswith("2 packages audited, 1 known vulnerabilities")


def test_packages_without_known_flaws_pass(
    tmp_path: Path, service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(*options(tmp_path, service, "sound==2.0")) == 0
    assert capsys.readouterr().out.startswith("1 packages audited, 0 known")


def test_without_a_network_one_line_says_so_soon_and_it_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    before = time.monotonic()
    assert audit() == 0
    assert time.monotonic() - before < 20
    [line] = capsys.readouterr().out.splitlines()
    assert line == "dependencies are not audited, the service cannot be asked: no network"


def test_a_pip_audit_that_fails_for_another_reason_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit("-r", str(tmp_path / "missing.txt")) == 1
    assert "missing.txt" in capsys.readouterr().err
