"""One class for each registered error code; its docstring is the section.

A refusal is an answer: it is committed and sent. `description` is the client's and never
repeats what it sent; `reason` is ours, for the audit trail.
"""

from authlib.oauth2.rfc6749 import OAuth2Error

from idp.protocol.messages import Answer

__all__ = ["OAuth2Error", "ProtocolError", "to_answer"]


class ProtocolError(OAuth2Error):
    """Something the standards have a name for. Authlib answers with it as with its own."""

    error: str = "invalid_request"
    status_code: int = 400

    def __init__(
        self,
        description: str = "",
        *,
        reason: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(description=description or None)
        self.reason = reason or description
        self.headers = headers


class InvalidRequest(ProtocolError):
    """RFC 6749 section 5.2."""


class InvalidClient(ProtocolError):
    """RFC 6749 section 5.2: client authentication failed."""

    error = "invalid_client"
    status_code = 401


class InvalidGrant(ProtocolError):
    """RFC 6749 section 5.2: the code or refresh token is not good, or no longer."""

    error = "invalid_grant"


class UnauthorizedClient(ProtocolError):
    """RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "unauthorized_client"


class NotAnApi(UnauthorizedClient):
    """RFC 6749 section 5.2, at the feed: the client is known, but serves no resource."""

    status_code = 403


class AuthorizationPending(ProtocolError):
    """RFC 8628 section 3.5: nobody has answered yet."""

    error = "authorization_pending"


class PolledTooSoon(ProtocolError):
    """RFC 8628 section 3.5: likewise, and ask five seconds less often from now on."""

    error = "slow_down"


class ExpiredToken(ProtocolError):
    """RFC 8628 section 3.5: nobody answered in time."""

    error = "expired_token"


class UnknownUserId(ProtocolError):
    """OpenID CIBA Core section 13: the hint names nobody."""

    error = "unknown_user_id"


class ExpiredLoginHintToken(ProtocolError):
    """OpenID CIBA Core section 13."""

    error = "expired_login_hint_token"


class InvalidBindingMessage(ProtocolError):
    """OpenID CIBA Core section 13: it cannot be shown."""

    error = "invalid_binding_message"


class UnsupportedGrantType(ProtocolError):
    """RFC 6749 section 5.2."""

    error = "unsupported_grant_type"


class InvalidScope(ProtocolError):
    """RFC 6749 sections 4.1.2.1 and 5.2."""

    error = "invalid_scope"


class InvalidTarget(ProtocolError):
    """RFC 8707 section 2."""

    error = "invalid_target"


class PolicyRefused(ProtocolError):
    """A policy does not allow the token asked for: `invalid_target` (RFC 8707 section 2) or
    `invalid_dpop_proof` (RFC 9449 section 5).
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.error = code


class AccessDenied(ProtocolError):
    """RFC 6749 section 4.1.2.1: the person said no."""

    error = "access_denied"


class UnsupportedResponseType(ProtocolError):
    """RFC 6749 section 4.1.2.1."""

    error = "unsupported_response_type"


class LoginRequired(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "login_required"


class ConsentRequired(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "consent_required"


class AccountSelectionRequired(ProtocolError):
    """OpenID Connect Core section 3.1.2.6."""

    error = "account_selection_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """OpenID Connect Core Unmet Authentication Requirements 1.0 section 2."""

    error = "unmet_authentication_requirements"


class InvalidAuthorizationDetails(ProtocolError):
    """RFC 9396 section 5."""

    error = "invalid_authorization_details"


class InvalidRequestObject(ProtocolError):
    """RFC 9101 section 7: the request object is not what it should be."""

    error = "invalid_request_object"


class InvalidRequestUri(ProtocolError):
    """RFC 9101 section 7: nothing good is at the request_uri, or no longer."""

    error = "invalid_request_uri"


class RegistrationRefused(ProtocolError):
    """RFC 7591 section 3.2.2: `invalid_redirect_uri` or `invalid_client_metadata`."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.error = code


class InvalidToken(ProtocolError):
    """RFC 6750 section 3.1: the access token is not good, or no longer."""

    error = "invalid_token"
    status_code = 401


class InvalidDpopProof(ProtocolError):
    """RFC 9449 section 5: the proof is missing, not good, or came before."""

    error = "invalid_dpop_proof"


class UseDpopNonce(ProtocolError):
    """RFC 9449 section 8: once more, with the nonce that comes with this answer."""

    error = "use_dpop_nonce"


class ProofRefused(ProtocolError):
    """RFC 9449 section 7.1: the same two where an access token is presented."""

    status_code = 401

    def __init__(self, cause: ProtocolError, headers: tuple[tuple[str, str], ...]) -> None:
        super().__init__(cause.description, reason=cause.reason, headers=headers)
        self.error = cause.error


class InsufficientScope(ProtocolError):
    """RFC 6750 section 3.1."""

    error = "insufficient_scope"
    status_code = 403


class AccessRefused(ProtocolError):
    """OpenID SSF 1.0 section 8.1.3.2: not more than this."""

    error = "access_denied"
    status_code = 403


class NoSuchStream(ProtocolError):
    """OpenID SSF 1.0 section 8.1.1.2."""

    error = "not_found"
    status_code = 404


class NoSuchPerson(ProtocolError):
    """Global Token Revocation section 3.4.1."""

    error = "not_found"
    status_code = 404


class TooManyStreams(ProtocolError):
    """OpenID SSF 1.0 section 8.1.1.1."""

    error = "too_many_streams"
    status_code = 409


class SlowDown(ProtocolError):
    """Too many tries (RFC 6585 section 4)."""

    error = "invalid_request"
    status_code = 429


def to_answer(error: OAuth2Error) -> Answer:
    """The JSON form of a refusal (RFC 6749 section 5.2)."""
    body = {"error": error.error}
    if error.description:
        body["error_description"] = error.description
    headers = error.headers if isinstance(error, ProtocolError) else ()
    return Answer(status=error.status_code, body=body, headers=headers)
