"""Runs code in a process whose memory cannot grow any more."""

import subprocess
import sys
from textwrap import dedent

LIMIT = """
import resource
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
"""


def run_short_of_memory(before: str, then: str) -> subprocess.CompletedProcess[str]:
    """Run `before`, allow no more memory, run `then`. Linux only."""
    code = dedent(before) + LIMIT + dedent(then)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
