"""Authlib's authorization server, taken out of Flask.

It is built for one request and holds nothing that outlives it: the parameters come from the
body of a POST and nowhere else, the answer goes out as an `Answer`, and the client is
authenticated by the one method it is registered for.
"""

from collections import defaultdict
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import OAuth2Payload

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol import client_auth
from idp.protocol.errors import to_answer
from idp.protocol.messages import Answer, OAuthRequest


class Payload(OAuth2Payload):
    """The parameters as Authlib asks for them."""

    def __init__(self, request: OAuthRequest) -> None:
        self._data = request.parameters.as_dict()
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in request.parameters.pairs:
            self._lists[name].append(value)

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._lists


class EngineRequest(OAuth2Request):
    """One request as Authlib carries it around; ours stands in `original`."""

    def __init__(self, original: OAuthRequest) -> None:
        super().__init__(original.method, original.url, headers={})
        self.original = original
        self.payload = Payload(original)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    @property
    def args(self) -> dict[str, str]:
        return self.original.query.as_dict()


class EngineClient:
    """A client as Authlib asks about it (its `ClientMixin`)."""

    def __init__(self, view: ClientView) -> None:
        self.view = view
        self.client_id = view.client_id

    def get_client_id(self) -> str:
        return self.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.view.grant_types

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.view.auth_method


class Engine(AuthorizationServer):
    """Authlib's dispatch, for one request at one provider."""

    def __init__(self, op: Provider, grants: tuple[type, ...] = ()) -> None:
        super().__init__()
        self.op = op
        for grant in grants:
            self.register_grant(grant)

    def create_oauth2_request(self, request: OAuthRequest | EngineRequest) -> EngineRequest:
        return request if isinstance(request, EngineRequest) else EngineRequest(request)

    def authenticate_client(
        self, request: EngineRequest, methods: Any, endpoint: str = "token"
    ) -> EngineClient:
        view = client_auth.authenticate(request.original, self.op)
        return EngineClient(view)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        return Answer(status=status, body=body)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        return to_answer(error)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib's signals leave before the commit; ours are events in the database."""
