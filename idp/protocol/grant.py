"""What our grants know beside what Authlib hands them: the provider, our request, the client."""

from typing import Any

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol.messages import OAuthRequest


class Ours:
    """Stands before Authlib's own class of a grant, whose request and server are ours."""

    server: Any
    request: Any

    @property
    def op(self) -> Provider:
        op: Provider = self.server.op
        return op

    @property
    def original(self) -> OAuthRequest:
        original: OAuthRequest = self.request.original
        return original

    @property
    def view(self) -> ClientView:
        """The client, once it is known who asks."""
        view: ClientView = self.request.client.view
        return view
