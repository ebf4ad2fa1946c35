"""`idp stream`: who follows which events, and a token to manage streams by hand."""

import click

from idp.cli.frame import at_desk, json_option, refuse, show, show_one
from idp.crypto.confirmation import Confirmation
from idp.domain.streams import Stream
from idp.protocol.claims import aim, client_access_token
from idp.protocol.errors import OAuth2Error
from idp.protocol.own_scopes import SSF_MANAGE, SSF_READ


@click.group()
def stream() -> None:
    """Streams of security events (Shared Signals)."""


@stream.command("list")
@json_option
def list_streams(as_json: bool) -> None:
    """List every stream, and how much waits in it."""
    with at_desk() as desk:
        streams = desk.op.events.signals.streams
        show([_row(row, streams.queue.size(row.id)) for row in streams.list()], as_json=as_json)


@stream.command("remove")
@click.argument("stream_id")
@json_option
def remove(stream_id: str, as_json: bool) -> None:
    """Remove a stream; what waits in it is given up."""
    with at_desk() as desk:
        streams = desk.op.events.signals.streams
        found = streams.get(stream_id)
        if found is None:
            raise refuse(f"there is no stream {stream_id!r}")
        client_id = found.client_id
        streams.remove(found, desk.now)
        desk.op.events.record("StreamRemoved", desk.now, client_id=client_id, by="operator")
        desk.commit()
        show_one({"stream": stream_id, "removed": True}, as_json=as_json)


@stream.command("token")
@click.argument("client_id")
@json_option
def token(client_id: str, as_json: bool) -> None:
    """Print an access token by which streams of a client can be managed by hand.

    Example: idp stream token c_Wx7…    (see `idp client list`)
    """
    with at_desk() as desk:
        view = desk.op.clients.find(client_id)
        if view is None or not view.enabled or view.public or view.dpop_bound:
            raise refuse(f"there is no client {client_id!r} that can have a token for itself")
        try:
            aimed = aim(desk.op, view, (SSF_READ, SSF_MANAGE), (), (), Confirmation())
        except OAuth2Error:
            raise refuse("the tokens of this client are bound to its keys") from None
        minted = client_access_token(desk.op, view, aimed, desk.now)
        desk.commit()
        said = {"access_token": minted.value, "expires_at": minted.expires_at}
        if as_json:
            show_one(said, as_json=True)
        else:
            click.echo(minted.value)


def _row(row: Stream, waiting: int) -> dict[str, object]:
    return {
        "stream": row.id,
        "client_id": row.client_id,
        "method": row.method,
        "status": row.status,
        "events": [name.rsplit("/", 1)[-1] for name in row.events_requested],
        "waiting": waiting,
        "address": row.endpoint_url,
    }
