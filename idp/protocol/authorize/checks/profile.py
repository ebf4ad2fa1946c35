"""What the profile of a client asks of a request, and no other member of its metadata says."""

from idp.domain import Provider
from idp.domain.metadata.profiles import MESSAGE_SIGNING
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest


def signed_answer(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """The answer is signed, where all messages are (FAPI 2.0 Message Signing section 5.4)."""
    if draft.client.profile == MESSAGE_SIGNING and not draft.response_mode.endswith(".jwt"):
        raise InvalidRequest("this client's answers are signed: response_mode is jwt")
    return draft
