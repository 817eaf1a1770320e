"""Known vulnerabilities of what is installed here: `make audit`.

pip-audit asks a public service about each package. Where that cannot be reached nothing is audited:
one line says so, and it is no failure, so that everything else can be checked without a network.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PIP_AUDIT = str(Path(sys.executable).with_name("pip-audit"))
INSTALLED = ("--local", "--skip-editable")
UNREACHABLE = ("requests.exceptions.", "Could not connect")
SECONDS = 300


def audit(*what: str) -> int:
    """Run pip-audit and print what it found.

    Args:
        what: its options; default: all packages of this environment.

    Returns:
        the exit code: 1 if a package is known to be vulnerable, or pip-audit itself failed.
    """
    command = [PIP_AUDIT, "--progress-spinner=off", "--timeout=5", "--format=json", "--desc=off"]
    try:
        done = subprocess.run(
            [*command, *(what or INSTALLED)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _not_audited(f"it does not answer within {SECONDS} s")
    if done.stdout:
        return _report(json.loads(done.stdout)["dependencies"])
    if any(sign in done.stderr for sign in UNREACHABLE):
        return _not_audited("no network")
    sys.stderr.write(done.stderr)
    return 1


def _report(packages: list[dict[str, Any]]) -> int:
    known = [package for package in packages if "vulns" in package]
    if packages and not known:
        return _not_audited("it knows none of the packages")
    findings = [(package, flaw) for package in known for flaw in package["vulns"]]
    for package, flaw in findings:
        fixed = ", ".join(flaw["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    unknown = [package["name"] for package in packages if package not in known]
    print(
        f"{len(known)} packages audited, {len(findings)} known vulnerabilities; unknown: {unknown}"
    )
    return 1 if findings else 0


def _not_audited(why: str) -> int:
    print(f"dependencies are not audited, the service cannot be asked: {why}")
    return 0


if __name__ == "__main__":
    raise SystemExit(audit(*sys.argv[1:]))
