#!/usr/bin/env python3
"""Packs a folder into a zip whose bytes depend on nothing but the files: not on time, order, owner or machine."""

import hashlib
import sys
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
LEFT_OUT = {"__pycache__", "bin", "tests"}
MOST_UNPACKED = 250 * 2**20
"""What Lambda unpacks at most."""


def main(folder: Path, archive: Path) -> None:
    """Pack the folder; exits with 1 when Lambda would not take it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_wanted(path.relative_to(folder))]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    unpacked = sum(path.stat().st_size for path in files)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    print(f"{archive.name}: {archive.stat().st_size / 1e6:.1f} MB, unpacked {unpacked / 1e6:.1f} MB, sha256 {digest}")
    if unpacked > MOST_UNPACKED:
        sys.exit(f"{archive} is larger than Lambda takes")


def is_wanted(path: Path) -> bool:
    """Tell whether a file is of use in the function; RECORD lists the files of the machine that installed them."""
    return not LEFT_OUT & set(path.parts[:-1]) and path.suffix != ".pyc" and path.name != "RECORD"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
