"""The command line's table of commands, which are imported only when they are asked for."""

import subprocess
import sys

import pytest
import rich_click as click

from services.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_found_under_its_own_name_and_says_what_it_does(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name
    assert command.help


def test_a_client_does_not_wait_for_the_code_of_the_servers() -> None:
    script = (
        "import services.upload_command, services.client_commands, services.cli, sys; print('litestar' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert found.stdout == "False\n"
