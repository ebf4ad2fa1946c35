"""`idp batch`: several commands in one process, so that a set-up takes a moment, not a minute."""

import contextlib
import io
import json
import shlex
import sys

import click

from idp.cli.frame import make_app, refuse


@click.command()
@click.pass_context
def batch(context: click.Context) -> None:
    """Run commands from standard input, one a line, without the word `idp`.

    What a command reads from standard input is the next line. Answers with one line of JSON for
    each command: what it printed, parsed if it was asked for JSON. The first one that is refused
    ends it; what was done before stays done.

    Example: echo 'client list --json' | idp batch
    """
    root = context.find_root()
    root.obj = make_app()
    group = root.command
    if not isinstance(group, click.Group):
        raise refuse("there are no commands here")
    while line := sys.stdin.readline():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == context.info_name:
            raise refuse("a batch in a batch")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), group.make_context("idp", words, obj=root.obj) as at:
            group.invoke(at)
        click.echo(json.dumps({"command": words[:2], "said": _read(said.getvalue())}))


def _read(printed: str) -> object:
    try:
        return json.loads(printed)
    except ValueError:
        return printed.strip()
