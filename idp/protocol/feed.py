"""The feed over HTTPS: what an API's guard is told of what ended, as it happens.

No standard has a word for it. The caller proves which client it is (RFC 6749 section 2.3) and
must serve a resource. It hears which keys are over (`idp.policies.feed`), never an id or a token.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.feed import Lease
from idp.protocol import client_auth
from idp.protocol.errors import InvalidClient, InvalidRequest, NotAnApi
from idp.protocol.messages import Answer, OAuthRequest

LONGEST_WAIT_MS = 1000
LONGEST_NAME = 64
LONGEST_EPOCH = 43
LONGEST_NUMBER = 10
MOST = 2**31 - 1
CREDENTIALS = ("client_secret", "client_assertion")


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """What follows number `after`; with nothing new, the answer waits a moment for news.

    Without `after`, or with one of another epoch, the answer starts at the beginning. An
    answer without rows is the sign of life that a guard's trust lasts by; and the question is
    itself the guard's word that it knows everything up to `after`.
    """
    caller = _api(request, op)
    asked = request.parameters
    after, epoch = _number(asked.get("after")), asked.get("epoch")
    wait = timedelta(milliseconds=min(_number(asked.get("wait")) or 0, LONGEST_WAIT_MS))
    op.sign_outs.feed.leases.renew(
        Lease(
            client_id=caller.client_id,
            guard=_name(asked.get("guard"), LONGEST_NAME),
            resources=tuple(sorted(caller.serves)),
            epoch=_name(epoch or "none", LONGEST_EPOCH),
            confirmed=min(after or 0, MOST),
            until=request.now + wait + op.rules.max_silence,
        )
    )
    policies = _policies(caller, op)
    return Answer(later=partial(_listened, op, epoch, after, wait, policies))


def _listened(
    op: Provider,
    epoch: str | None,
    after: int | None,
    wait: timedelta,
    policies: Mapping[str, list[str]],
) -> Answer:
    batch, waited = op.sign_outs.feed.listen(epoch, after, wait)
    return Answer(
        body={
            "epoch": batch.epoch,
            "from": batch.start,
            "to": batch.to,
            "head": batch.head,
            "rows": batch.rows,
            "waited": waited,
            "policies": policies,
            "max_silence": op.rules.max_silence.total_seconds(),
        }
    )


def _api(request: OAuthRequest, op: Provider) -> ClientView:
    """The API that asks. A secret has no place in an address (RFC 6749 section 2.3.1)."""
    if request.parameters.repeated():
        raise InvalidRequest("a parameter is there more than once")
    if any(name in request.query for name in CREDENTIALS):
        raise InvalidRequest("credentials do not belong into the address")
    caller = client_auth.authenticate(request, op)
    if caller.public:
        raise InvalidClient("a client that cannot authenticate may not listen")
    if not caller.serves:
        raise NotAnApi("the client serves no resource")
    return caller


def _policies(caller: ClientView, op: Provider) -> Mapping[str, list[str]]:
    """What the caller's resources ask of a token now."""
    ours = op.rules.resource_policies
    rows = op.resources.named(caller.serves)
    return {row.identifier: list(row.policies or ours) for row in rows}


def _name(given: str | None, longest: int) -> str:
    if given is None or len(given) > longest or not given.isprintable():
        raise InvalidRequest("guard or epoch is missing, or too long to be one")
    return given


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise InvalidRequest("a number is not a number")
    return int(text)
