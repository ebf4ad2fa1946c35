"""`idp policies compare`: one scenario through all policies, and a table of what was measured."""

import json
from pathlib import Path

import click
import httpx

from idp.cli.compare.calls import Strayed
from idp.cli.compare.place import NoPlace
from idp.cli.frame import refuse
from idp.policies import POLICIES
from idp.settings import load

__all__ = ["compare"]


@click.command()
@click.option(
    "--calls",
    type=click.IntRange(10, 100_000),
    default=200,
    show_default=True,
    help="API calls with one token, for each policy.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Sign-outs, for each policy.",
)
@click.option("--policy", multiple=True, help="Only this one; may repeat.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page for people to this file, too.",
)
def compare(
    calls: int, rounds: int, policy: tuple[str, ...], as_json: bool, html: Path | None
) -> None:
    """Measure the policies against each other on this configuration.

    A provider is started on a free port, with an API in a process of its own for each policy,
    and people sign in, call, refresh, are robbed and sign out, over real sockets. Then the
    feed, the store and the provider fall silent.

    Your data are not touched. With SQLite it all happens in a temporary file; with PostgreSQL
    in a database of its own, which is dropped at the end (the role must be allowed to create
    one); with Redis in a numbered database that is empty, and is emptied again.

    Tokens that nobody can take back live for a few seconds only, so that their end is seen.
    """
    from idp.cli.compare import page, run, words  # noqa: PLC0415 - starts no server until asked
    from idp.cli.compare.provider import NotReady  # noqa: PLC0415 - see above

    unknown = sorted(set(policy) - set(POLICIES))
    if unknown:
        raise refuse(f"there is no policy {unknown[0]!r}; there are {', '.join(POLICIES)}")
    config = click.get_current_context().find_root().params.get("config")
    settings = load(Path(config) if config else None)
    chosen = [POLICIES[name] for name in policy] or list(POLICIES.values())
    try:
        found = run.compare(
            settings,
            chosen,
            calls=calls,
            rounds=rounds,
            config=Path(config) if config else None,
            say=lambda said: click.echo(said, err=True),
        )
    except (NoPlace, NotReady, Strayed, httpx.HTTPError) as error:
        raise refuse(str(error)) from None
    if html is not None:
        html.write_text(page.page(found))
        click.echo(f"written: {html}", err=True)
    data = found.as_data()
    click.echo(json.dumps(data, indent=2) if as_json else words.tables(found))
