"""`idp issuer`: other issuers whose word about our people counts (RFC 7523)."""

import json
from pathlib import Path

import click

from idp.cli.frame import at_desk, json_option, refuse, show, show_one
from idp.domain.issuers import SUBJECT_IS, TrustedIssuer
from idp.domain.metadata import InvalidMetadata


@click.group()
def issuer() -> None:
    """Other issuers whose word about our people counts."""


@issuer.command("trust")
@click.argument("name", metavar="ISSUER")
@click.option("--jwks-uri", help="Where its keys are.")
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with its keys, instead.",
)
@click.option("--client", multiple=True, help="A client that may bring its word; may repeat.")
@click.option("--scope", multiple=True, help="A scope it may give; may repeat.")
@click.option("--subject", multiple=True, metavar="THEIRS=USERNAME", help="Who is who; may repeat.")
@click.option(
    "--subject-is",
    type=click.Choice(SUBJECT_IS),
    help="Instead: its subjects are our usernames, or our own subjects.",
)
@json_option
def trust(
    name: str,
    jwks_uri: str | None,
    jwks: Path | None,
    client: tuple[str, ...],
    scope: tuple[str, ...],
    subject: tuple[str, ...],
    subject_is: str | None,
    as_json: bool,
) -> None:
    """Trust an issuer from now on, or on other terms than before.

    Example: idp issuer trust https://hr.example.com --jwks-uri https://hr.example.com/jwks
    --client c_… --scope notes:read --subject 4711=alice
    """
    details: dict[str, object] = {"clients": list(client), "scopes": list(scope)}
    if jwks_uri:
        details["jwks_uri"] = jwks_uri
    if jwks:
        details["jwks"] = _keys(jwks)
    if subject:
        details["subjects"] = dict(_pair(pair) for pair in subject)
    if subject_is:
        details["subject_is"] = subject_is
    with at_desk() as desk:
        try:
            row = desk.op.clients.issuers.trust(name, details, desk.now)
        except InvalidMetadata as error:
            raise refuse(str(error)) from None
        desk.op.events.record("IssuerTrusted", desk.now, issuer=name, by="operator")
        desk.commit()
        show_one(_row(row), as_json=as_json)


@issuer.command("list")
@json_option
def list_issuers(as_json: bool) -> None:
    """List every issuer that is trusted."""
    with at_desk() as desk:
        show([_row(row) for row in desk.op.clients.issuers.list()], as_json=as_json)


@issuer.command("distrust")
@click.argument("name", metavar="ISSUER")
@json_option
def distrust(name: str, as_json: bool) -> None:
    """Trust an issuer no more; what was given for its word runs out."""
    with at_desk() as desk:
        if not desk.op.clients.issuers.distrust(name):
            raise refuse(f"there is no trusted issuer {name!r}")
        desk.op.events.record("IssuerDistrusted", desk.now, issuer=name, by="operator")
        desk.commit()
        show_one({"issuer": name, "trusted": False}, as_json=as_json)


def _row(row: TrustedIssuer) -> dict[str, object]:
    details = row.details
    return {
        "issuer": row.issuer,
        "keys": details.get("jwks_uri") or f"{len(details['jwks']['keys'])} kept here",
        "clients": details["clients"],
        "scopes": details["scopes"],
        "subjects": details.get("subject_is") or f"{len(details['subjects'])} named",
    }


def _keys(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise refuse(f"{path} is not JSON: {error}") from None


def _pair(pair: str) -> tuple[str, str]:
    theirs, equals, ours = pair.rpartition("=")
    if not equals:
        raise refuse("a subject is written THEIRS=USERNAME")
    return theirs, ours
