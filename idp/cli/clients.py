"""`idp client`: the applications."""

import json
from datetime import timedelta
from pathlib import Path

import click

from idp.cli.frame import at_desk, json_option, refuse, show, show_one
from idp.domain.clients import ClientView, InvalidMetadata, NoSuchClient
from idp.protocol import registration

LONGEST_INVITATION = 30 * 24


@click.group()
def client() -> None:
    """Applications that ask people to sign in, or that call APIs."""


@client.command("add")
@click.argument("name")
@click.option("--redirect-uri", multiple=True, help="Where people come back to; may repeat.")
@click.option("--post-logout-redirect-uri", multiple=True, help="Where sign-out may lead back to.")
@click.option("--backchannel-logout-uri", help="Where the app hears of sign-outs.")
@click.option("--frontchannel-logout-uri", help="Where the browser asks it to sign out.")
@click.option("--initiate-login-uri", help="Where people begin who come from their account here.")
@click.option(
    "--auth-method",
    "token_endpoint_auth_method",
    default="client_secret_basic",
    show_default=True,
    help="How it authenticates; `none` for an app without a server.",
)
@click.option("--grant-type", multiple=True, help="Default: authorization_code refresh_token.")
@click.option("--scope", help="The scopes it may ask for; default: all.")
@click.option("--serves", multiple=True, metavar="RESOURCE", help="An API it is; may introspect.")
@click.option("--policy", multiple=True, help="A policy of its refresh line; may repeat.")
@click.option("--dpop-bound", is_flag=True, help="Its tokens work only with a key (RFC 9449).")
@click.option("--trusted", is_flag=True, help="Our own app: people are not asked for consent.")
@click.option(
    "--metadata",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with any other RFC 7591 metadata.",
)
@json_option
def add(
    name: str,
    redirect_uri: tuple[str, ...],
    post_logout_redirect_uri: tuple[str, ...],
    token_endpoint_auth_method: str,
    grant_type: tuple[str, ...],
    scope: str | None,
    serves: tuple[str, ...],
    policy: tuple[str, ...],
    dpop_bound: bool,
    trusted: bool,
    metadata: Path | None,
    as_json: bool,
    **addresses: str | None,
) -> None:
    """Add a client. Its secret, if it has one, is shown once.

    Example: idp client add Notes --redirect-uri http://localhost:9001/callback
    """
    default_grants = (
        ("authorization_code", "refresh_token") if redirect_uri else ("client_credentials",)
    )
    details: dict[str, object] = {
        "client_name": name,
        "redirect_uris": list(redirect_uri),
        "post_logout_redirect_uris": list(post_logout_redirect_uri),
        "token_endpoint_auth_method": token_endpoint_auth_method,
        "grant_types": list(grant_type or default_grants),
        "response_types": ["code"] if redirect_uri else [],
    }
    for member, address in addresses.items():
        if address:
            details[member] = address
        if address and member.endswith("_logout_uri"):
            details[member.replace("_uri", "_session_required")] = True
    if dpop_bound:
        details["dpop_bound_access_tokens"] = True
    if scope:
        details["scope"] = scope
    if metadata:
        details |= _read(metadata)
    with at_desk() as desk:
        try:
            view, secret = desk.op.clients.add(
                details, trusted=trusted, serves=serves, policies=policy, now=desk.now
            )
        except ValueError as error:
            raise refuse(str(error)) from None
        desk.op.events.record("ClientAdded", desk.now, client_id=view.client_id, by="operator")
        desk.commit()
        row = _row(view)
        show_one(row | ({"client_secret": secret} if secret else {}), as_json=as_json)


@client.command("invite")
@click.option(
    "--hours",
    type=click.IntRange(1, LONGEST_INVITATION),
    default=24,
    show_default=True,
    help="How long the invitation is good for.",
)
@json_option
def invite(hours: int, as_json: bool) -> None:
    """Invite one app to register itself: prints an initial access token, which works once.

    Example: idp client invite --hours 2
    """
    with at_desk() as desk:
        if desk.op.rules.registration == "off":
            raise refuse('registration is off; set registration.mode = "token"')
        lifetime = timedelta(hours=hours)
        token = registration.invite(desk.op, desk.now, lifetime)
        desk.op.events.record("ClientInvited", desk.now, by="operator")
        desk.commit()
        address = registration.metadata(desk.op)["registration_endpoint"]
        show_one(
            {
                "initial_access_token": token,
                "expires": desk.now + lifetime,
                "registration_endpoint": address,
            },
            as_json=as_json,
        )


@client.command("list")
@json_option
def list_clients(as_json: bool) -> None:
    """List every client."""
    with at_desk() as desk:
        show([_row(view) for view in desk.op.clients.list()], as_json=as_json)


@client.command("show")
@click.argument("client_id")
@json_option
def show_client(client_id: str, as_json: bool) -> None:
    """Show one client with all its metadata."""
    with at_desk() as desk:
        view = _get(desk.op.clients.find(client_id), client_id)
        show_one(_row(view) | dict(view.details), as_json=as_json)


@client.command("rotate-secret")
@click.argument("client_id")
@json_option
def rotate_secret(client_id: str, as_json: bool) -> None:
    """Give a client a new secret; the old one works on for a day."""
    with at_desk() as desk:
        try:
            secret = desk.op.clients.rotate_secret(client_id, desk.now)
        except NoSuchClient:
            raise refuse(f"there is no client {client_id!r}") from None
        except InvalidMetadata as error:
            raise refuse(str(error)) from None
        desk.op.events.record("SecretRotated", desk.now, client_id=client_id, by="operator")
        desk.commit()
        show_one({"client_id": client_id, "client_secret": secret}, as_json=as_json)


@client.command("policies")
@click.argument("client_id")
@click.argument("policy", nargs=-1, required=True)
@json_option
def choose_policies(client_id: str, policy: tuple[str, ...], as_json: bool) -> None:
    """Choose the policies of a client's refresh line; `idp policies list` names them.

    Example: idp client policies c_… rotation sso
    """
    with at_desk() as desk:
        try:
            view = desk.op.clients.choose_policies(client_id, policy)
        except NoSuchClient:
            raise refuse(f"there is no client {client_id!r}") from None
        except ValueError as error:
            raise refuse(str(error)) from None
        desk.op.events.record(
            "PoliciesChosen", desk.now, client_id=client_id, policies=list(policy), by="operator"
        )
        desk.commit()
        show_one(_row(view), as_json=as_json)


@client.command("remove")
@click.argument("client_id")
@json_option
def remove(client_id: str, as_json: bool) -> None:
    """Remove a client; whatever was issued to it is dead at once."""
    with at_desk() as desk:
        try:
            desk.op.clients.remove(client_id, desk.now)
        except NoSuchClient:
            raise refuse(f"there is no client {client_id!r}") from None
        desk.op.events.record("ClientRemoved", desk.now, client_id=client_id, by="operator")
        desk.commit()
        show_one({"client_id": client_id, "removed": True}, as_json=as_json)


def _read(metadata: Path) -> dict[str, object]:
    try:
        members = json.loads(metadata.read_text())
    except ValueError as error:
        raise refuse(f"{metadata} is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise refuse(f"{metadata} is not a JSON object")
    return members


def _get(view: ClientView | None, client_id: str) -> ClientView:
    if view is None:
        raise refuse(f"there is no client {client_id!r}")
    return view


def _row(view: ClientView) -> dict[str, object]:
    return {
        "client_id": view.client_id,
        "name": view.name,
        "auth_method": view.auth_method,
        "enabled": view.enabled,
        "dynamic": view.dynamic,
        "policies": list(view.policies),
        "redirect_uris": list(view.redirect_uris),
    }
