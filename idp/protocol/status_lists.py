"""Status lists for whoever checks tokens offline (draft-ietf-oauth-status-list)."""

from collections.abc import Mapping

from idp.crypto import jose
from idp.crypto.status_list import MEDIA_TYPE, TYP
from idp.domain import Provider
from idp.domain.status_lists import PATH
from idp.protocol.messages import Answer, OAuthRequest

ALG = "ES256"
NOT_FOUND = Answer(status=404, body={"error": "not_found"})
NO_HISTORY = Answer(status=501, body={"error": "invalid_request"})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """One list, signed, as it stands now (RFC 7519; draft-ietf-oauth-status-list section 8.1).

    Anybody may have it, and any cache may keep it for its `ttl`. How it stood before is not told.
    """
    if "time" in request.query:
        return NO_HISTORY
    name, lists = request.path_argument, op.sign_outs.feed.status_lists
    said = lists.read(name, request.now) if name.isprintable() else None
    if said is None:
        return NOT_FOUND
    token = jose.sign(op.keys.signer(ALG, request.now), said, typ=TYP)
    kept = (("Cache-Control", f"public, max-age={said['ttl']}"),)
    return Answer(body=token, content_type=MEDIA_TYPE, headers=kept, cacheable=True)


def every(request: OAuthRequest, op: Provider) -> Answer:
    """Where all lists are (RFC 8414; draft-ietf-oauth-status-list section 9)."""
    lists = op.sign_outs.feed.status_lists.list(request.now)
    seconds = int(op.rules.status_list_ttl.total_seconds())
    kept = (("Cache-Control", f"public, max-age={seconds}"),)
    return Answer(body={"status_lists": list(lists)}, headers=kept, cacheable=True)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {"status_list_aggregation_endpoint": f"{op.rules.issuer}{PATH.rstrip('/')}"}
