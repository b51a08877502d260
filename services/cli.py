"""The command line: runs each process, and is a client of a running adledger.

Each command's module is imported when the command is asked for, so that a client need not wait for the servers' code.
"""

from pkgutil import resolve_name

import rich_click as click
from typing_extensions import override

COMMANDS = {
    "up": "services.server_commands:up",
    "demo": "services.server_commands:demo",
    "upload": "services.upload_command:upload",
    "uploads": "services.client_commands:uploads_command",
    "revert": "services.client_commands:revert",
    "rejections": "services.client_commands:rejections",
    "serve": "services.server_commands:serve",
    "consume": "services.server_commands:consume",
    "migrate": "services.server_commands:migrate_command",
    "dead-letters": "services.letters_command:dead_letters",
    "compact": "services.compact_command:compact_command",
    "schema": "services.server_commands:schema_command",
    "settings": "services.server_commands:settings_command",
}
"""The commands by their names, and where each is defined."""


class Commands(click.RichGroup):
    """A group of the commands named above."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = resolve_name(COMMANDS[cmd_name])
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adledger")
def main() -> None:
    """Ad-performance CSVs in, the right numbers out.

    Try it:  adledger up --sample-data, then open http://127.0.0.1:8000 and  adledger uploads.

    Servers read their settings from the environment (ADLEDGER_...); docs/operations.md lists them.
    """


if __name__ == "__main__":
    main()
