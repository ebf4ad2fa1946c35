"""The `idp` command: thin calls on the domain, each with `--json`, clear errors and exit codes.

Exit codes: 0 done, 1 refused (a sentence says why), 2 the command line itself is wrong.
"""

import sys

import click
from sqlalchemy.exc import DBAPIError

from idp import __version__
from idp.cli.accounts import account
from idp.cli.batch import batch
from idp.cli.clients import client
from idp.cli.details import details
from idp.cli.exchange import exchange
from idp.cli.feed import feed
from idp.cli.issuers import issuer
from idp.cli.policies import policies, role
from idp.cli.profile import profile
from idp.cli.resources import resource
from idp.cli.server import migrate, serve, worker
from idp.cli.sign_out import receipt, signout
from idp.cli.streams import stream
from idp.cli.system import deliveries, doctor, key
from idp.settings import SettingsRefused


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="idp")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    envvar="IDP_CONFIG",
    help="A TOML file with settings; IDP_* variables win over it.",
)
def idp(config: str | None) -> None:
    """An OpenID Connect identity provider whose sign-out is real."""


COMMANDS = (
    *(account, signout, receipt, client, issuer, resource, policies, role),
    *(key, deliveries, stream, feed, doctor, batch, migrate, serve, worker),
)
for command in COMMANDS:
    idp.add_command(command)
client.add_command(exchange)
resource.add_command(details)
client.add_command(profile)


def main() -> None:
    """The console script."""
    try:
        idp()
    except SettingsRefused as error:
        click.echo(f"idp: {error}", err=True)
        sys.exit(1)
    except DBAPIError as error:
        why = str(error.orig).partition("\n")[0]
        click.echo(f"idp: the database cannot be used: {why}", err=True)
        sys.exit(1)
