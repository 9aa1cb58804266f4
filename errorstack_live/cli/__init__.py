"""The command line: ``errorstack``. ``docs/cli.md`` describes it.

Exit codes: 0 done · 1 it could not be done, standard error says why · 2 wrong usage ·
3 ``tail``: the share link or the token was revoked or has expired · 130 interrupted.
"""

import sys

import click

from errorstack_live import __version__
from errorstack_live.cli.export import export
from errorstack_live.cli.history import errors, logs
from errorstack_live.cli.issue import issues, mark
from errorstack_live.cli.member import member
from errorstack_live.cli.pin import pin
from errorstack_live.cli.pipe import pipe
from errorstack_live.cli.send import demo, log, submit
from errorstack_live.cli.serve import serve
from errorstack_live.cli.share import share
from errorstack_live.cli.show import Failed
from errorstack_live.cli.stack import stack
from errorstack_live.cli.tail import tail
from errorstack_live.cli.token import token
from errorstack_live.cli.watching import watching
from errorstack_live.errors import ErrorStackError, QueryError

COMMANDS = (
    serve,
    stack,
    member,
    share,
    token,
    pin,
    watching,
    submit,
    log,
    pipe,
    mark,
    tail,
    errors,
    export,
    issues,
    logs,
    demo,
)
INTERRUPTED = 130


class _Group(click.Group):
    """Commands in the order of the table; our own failures become messages."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except QueryError as error:
            raise Failed(f"{error.message} (at character {error.at + 1})") from error
        except ErrorStackError as error:
            raise Failed(error.message) from error
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ErrorStack Live")
def main() -> None:
    """ErrorStack Live: submit errors by plain HTTP, see them live, share them by link."""


for command in COMMANDS:
    main.add_command(command)
