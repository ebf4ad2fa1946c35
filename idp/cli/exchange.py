"""`idp client exchange`: which client may exchange whose tokens, and for which API (RFC 8693)."""

import click

from idp.cli.frame import at_desk, json_option, refuse, show_one
from idp.domain.clients import InvalidMetadata, NoSuchClient
from idp.domain.metadata.operators import TOKEN_EXCHANGE


@click.command("exchange")
@click.argument("client_id")
@click.argument("resource", nargs=-1)
@click.option("--of", "clients", multiple=True, metavar="CLIENT", help="Whose tokens, besides.")
@click.option("--impersonation", is_flag=True, help="It may also take the person's place.")
@click.option("--never", is_flag=True, help="Take the right back.")
@json_option
def exchange(
    client_id: str,
    resource: tuple[str, ...],
    clients: tuple[str, ...],
    impersonation: bool,
    never: bool,
    as_json: bool,
) -> None:
    """Let a client exchange tokens for others that are good at these APIs.

    It may bring its own tokens, those it is called with as an API, and those of the clients
    named with --of. Without --impersonation it says with an actor_token who acts.

    Example: idp client exchange c_… https://archive.example.com
    """
    if bool(resource) == never:
        raise refuse("name the APIs it may exchange tokens for, or --never")
    with at_desk() as desk:
        named = desk.op.resources.named(resource)
        if len(named) != len(set(resource)):
            raise refuse("there is an API among them that is not known; see `idp resource list`")
        right = None
        if resource:
            right = {
                "resources": list(resource),
                "clients": list(clients),
                "impersonation": impersonation,
            }
        try:
            held = desk.op.clients.get(client_id).grant_types - {TOKEN_EXCHANGE}
            grant_types = sorted(held | ({TOKEN_EXCHANGE} if right else set()))
            desk.op.clients.decide(client_id, token_exchange=right, grant_types=grant_types)
        except NoSuchClient:
            raise refuse(f"there is no client {client_id!r}") from None
        except InvalidMetadata as error:
            raise refuse(str(error)) from None
        desk.op.events.record(
            "ExchangeDecided", desk.now, client_id=client_id, right=right, by="operator"
        )
        desk.commit()
        show_one({"client_id": client_id, "token_exchange": right}, as_json=as_json)
