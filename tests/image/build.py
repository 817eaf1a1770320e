"""Builds the image of the Dockerfile without an engine, on a base that is made on this machine.

Needs root and Debian's buildah and debootstrap. What pip installs is fetched before, by this
machine's own pip, and nothing else: the build itself has no network but Debian's for the base.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "image"
BASE = "docker.io/library/python:3.11-slim-bookworm"
IMAGE = "localhost/stancewire:test"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
PIP_CONF = "[global]\nno-index = true\nfind-links = /wheels\nno-cache-dir = true\n"
BUILDAH = ("buildah", "--storage-driver", "vfs", "--root", str(WORK / "storage"))


def run(*command: str | Path) -> str:
    """Run it; its standard output. Raises: CalledProcessError."""
    done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def buildah(*arguments: str | Path) -> str:
    """A command of buildah."""
    return run(*BUILDAH, *arguments)


def missing_tools() -> list[str]:
    """Debian packages that have to be installed."""
    return [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]


def make_base() -> None:
    """An image of the base's name: Debian bookworm with its Python, as the official one has."""
    if BASE in buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
        return
    folder = WORK / "base"
    shutil.rmtree(folder, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", folder)
    (folder / "usr" / "local" / "bin" / "python").symlink_to("/usr/bin/python3")
    (folder / "usr" / "local" / "bin" / "pip").symlink_to("/usr/bin/pip3")
    shutil.rmtree(folder / "var" / "cache" / "apt", ignore_errors=True)
    container = buildah("from", "scratch")
    buildah("copy", container, folder, "/")
    buildah("commit", container, BASE)
    buildah("rm", container)
    shutil.rmtree(folder)


def fetch_wheels() -> Path:
    """Everything that the Dockerfile's pip will ask for."""
    wheels = WORK / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", wheels)
    run(*pip, "torch==2.13.0")
    run(*pip, "--find-links", wheels, str(ROOT), "hatchling>=1.27")
    for own in wheels.glob("stancewire-*"):
        own.unlink()
    return wheels


def build() -> str:
    """Build the image; its name."""
    make_base()
    wheels = fetch_wheels()
    pip_conf = WORK / "pip.conf"
    pip_conf.write_text(PIP_CONF)
    buildah(
        "build", "--format", "docker", "--isolation", "chroot", "--pull-never", "--network", "host",
        "--volume", f"{wheels}:/wheels:ro", "--volume", f"{pip_conf}:/etc/pip.conf:ro",
        "--tag", IMAGE, ROOT,
    )  # fmt: skip
    return IMAGE
