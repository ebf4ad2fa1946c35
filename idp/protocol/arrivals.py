"""A client that comes to us: one we know, or one that says at its own address who it is
(draft-ietf-oauth-client-id-metadata-document).
"""

from collections.abc import Mapping

from idp.domain import Provider
from idp.domain.client_documents import is_address
from idp.domain.clients import ClientView
from idp.domain.throttle import Throttled, network
from idp.protocol.errors import SlowDown
from idp.protocol.messages import OAuthRequest


def arriving(client_id: str, request: OAuthRequest, op: Provider) -> ClientView | None:
    """The client as it describes itself now; what it said before counts as long as it may.

    None when there is none, when its document cannot be read, or is none that we take.
    """
    view, documents = op.clients.find(client_id), op.clients.documents
    if not is_address(client_id):
        return view
    if not documents.admits(client_id):
        return None
    if view is not None and documents.fresh(client_id, request.now):
        return view
    if view is None:
        _count(request, op)
    document = documents.read(client_id, request.now)
    if document is None:
        return None
    if view is None:
        op.events.record(
            "ClientIntroducedItself", request.now, client_id=client_id, address=request.address
        )
    return op.clients.learn(client_id, document, request.address, request.now)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it: nothing when it is off."""
    if op.rules.client_documents == "off":
        return {}
    return {"client_id_metadata_document_supported": True}


def _count(request: OAuthRequest, op: Provider) -> None:
    """As many new ones from one place as may register there (DCR-08)."""
    try:
        op.throttle.count("registration", network(request.address), request.now)
    except Throttled as error:
        wait = str(int(error.retry_after.total_seconds()))
        raise SlowDown("too many new clients", headers=(("Retry-After", wait),)) from None
