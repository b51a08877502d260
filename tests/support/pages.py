"""The commands that a page of the documentation tells an operator to run, run as they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def commands(page: str, heading: str) -> list[str]:
    """Return the shell blocks under a heading of a page, up to the next heading."""
    section = (ROOT / page).read_text().split(f"\n{heading}\n")[1]
    return re.findall(r"```sh\n(.*?)```", re.split(r"\n#+ ", section)[0], flags=re.DOTALL)


def run_as_written(script: str, folder: Path, settings: Mapping[str, str]) -> str:
    """Run a block in a folder, with this project's `adledger`, and return what it prints; it must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADLEDGER_")}
    command = ["bash", "-euo", "pipefail", "-c", script]
    environment |= {"PATH": path, **settings}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout
