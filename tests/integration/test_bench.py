"""The benchmark's command: it measures every party and says so in one JSON line."""

import json
import subprocess
import sys

import pytest

from service.bench.parties import FORWARD, NAIVE, PATH, SERVICE


@pytest.mark.timeout(400)
def test_bench_measures_every_party_and_ends_with_one_json_line() -> None:
    command = [sys.executable, "-m", "service", "bench", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=390)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])

    parties = result["parties"]
    assert set(parties) == {NAIVE, SERVICE, PATH, FORWARD}
    assert all(one["quotes_per_second"] > 0 for one in parties.values())
    assert all(one["resident_mib"] > 10 for one in parties.values())
    assert set(parties[SERVICE]["latency"]) == {"50%", "90%"}
    # Floors far below what a quiet machine shows: this is no measurement, but no formality either.
    assert result["b_to_c"] > 0.4
    assert result["b_to_a"] > 8
    assert result["five_quotes_p99_at_half_load_seconds"] > 0
