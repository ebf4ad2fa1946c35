"""`idp client profile`: hold a client to FAPI 2.0, all of it."""

import click

from idp.cli.frame import at_desk, json_option, refuse, show_one
from idp.domain.clients import InvalidMetadata, NoSuchClient
from idp.domain.metadata.profiles import CONSTRAINTS, PROFILES

NONE = "none"


@click.command("profile")
@click.argument("client_id")
@click.argument("profile", type=click.Choice([*PROFILES, NONE]))
@json_option
def profile(client_id: str, profile: str, as_json: bool) -> None:
    """Hold a client to a profile: what it leaves open is filled in, the rest is refused.

    fapi2 is the FAPI 2.0 Security Profile: pushed requests, PKCE, bound tokens, private_key_jwt
    or mutual TLS, assertions for the issuer alone, PS256, ES256 or EdDSA, no rotation.
    fapi2_message_signing has signed requests and answers besides; none lets it go.

    Example: idp client profile c_… fapi2
    """
    wanted = None if profile == NONE else profile
    with at_desk() as desk:
        try:
            view = desk.op.clients.decide(client_id, profile=wanted)
        except NoSuchClient:
            raise refuse(f"there is no client {client_id!r}") from None
        except InvalidMetadata as error:
            raise refuse(str(error)) from None
        desk.op.events.record(
            "ProfileChosen", desk.now, client_id=client_id, profile=wanted, by="operator"
        )
        desk.commit()
        bound: dict[str, object] = {name: view.details.get(name) is True for name in CONSTRAINTS}
        show_one(bound | {"client_id": client_id, "profile": wanted}, as_json=as_json)
