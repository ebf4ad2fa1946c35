"""`idp resource`: APIs, and how their access tokens live and end."""

from datetime import timedelta

import click

from idp.cli.frame import at_desk, json_option, refuse, show, show_one
from idp.domain.resources import Api, Resource


@click.group()
def resource() -> None:
    """APIs, named by their RFC 8707 identifiers."""


@resource.command("add")
@click.argument("identifier")
@click.option("--name", help="What people call it; default: the identifier.")
@click.option(
    "--scope", multiple=True, metavar="NAME=WORDS", help="A scope and what it means to people."
)
@click.option("--policy", multiple=True, help="A policy of its access tokens; may repeat.")
@click.option("--lifetime", type=int, metavar="SECONDS", help="Of its access tokens; <= 3600.")
@click.option(
    "--status-list", is_flag=True, help="Its tokens stand in a status list, for checks offline."
)
@json_option
def add_resource(
    identifier: str,
    name: str | None,
    scope: tuple[str, ...],
    policy: tuple[str, ...],
    lifetime: int | None,
    status_list: bool,
    as_json: bool,
) -> None:
    """Add an API, or change it.

    Example: idp resource add https://api.example.com --scope 'notes:read=Read your notes'
    """
    scopes = dict(_scope(pair) for pair in scope)
    with at_desk() as desk:
        try:
            row = desk.op.resources.add(
                identifier,
                name or identifier,
                scopes,
                policy,
                desk.now,
                lifetime=timedelta(seconds=lifetime) if lifetime is not None else None,
                status_list=status_list,
            )
        except ValueError as error:
            raise refuse(str(error)) from None
        desk.op.events.record("ResourceAdded", desk.now, resource=identifier, by="operator")
        desk.commit()
        show_one(_api(row), as_json=as_json)


@resource.command("list")
@json_option
def list_resources(as_json: bool) -> None:
    """List every API."""
    with at_desk() as desk:
        show([_api(row) for row in desk.op.resources.list()], as_json=as_json)


def _api(row: Api | Resource) -> dict[str, object]:
    return {
        "identifier": row.identifier,
        "name": row.name,
        "scopes": dict(row.scopes),
        "policies": list(row.policies),
        "lifetime": row.access_lifetime,
        "status_list": row.status_list,
    }


def _scope(pair: str) -> tuple[str, str]:
    name, _, words = pair.partition("=")
    return name, words or name
