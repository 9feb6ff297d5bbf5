"""The `seesay` command. Commands are found by file name and imported when they are used; errors become exit codes here.

Exit codes: 0 done, 2 usage, 3 data or model, 4 resources, 130 interrupted (see `errors`).
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
from pathlib import Path

import click

from .. import __version__
from ..errors import Interrupted, SeesayError
from . import commands, render

SHORT_HELP = re.compile(r'short_help="(.+)"')


class _Commands(click.Group):
    """The group of all files in `commands/`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(info.name for info in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, read off their files: to import them all would take longer than everything else."""
        folder = Path(commands.__path__[0])
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short_help(folder / f"{name}.py")) for name in self.list_commands(ctx)])


def _short_help(file: Path) -> str:
    found = SHORT_HELP.search(file.read_text(encoding="utf-8"))
    return found[1] if found else ""


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="seesay")
def root() -> None:
    """Ask pictures questions, and train, measure and keep the models that answer."""


def main() -> None:
    """Run the command line and exit with its code."""
    code = _run()
    if "TORCHELASTIC_RUN_ID" in os.environ:
        # One of several processes of torchrun. torch's gloo threads outlive the group of a model that ran in parallel, and some
        # interpreters abort over them on the way out; everything of ours is closed and written by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    """The exit code; whatever went wrong has been said."""
    try:
        return int(root.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        render.error(Interrupted("interrupted"))
        return Interrupted.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SeesayError as error:
        render.error(error)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output (`head`) has gone; say nothing more, also not when Python closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
