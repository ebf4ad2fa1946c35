"""What the suite sends to register, and the clients an operator has made for it."""

from typing import Any

from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from idp.store import db
from tests.conformance.checks import Json
from tests.conformance.plans import Variant
from tests.support.world import World

BASE = "https://suite.test/test/a/idp"
CALLBACK = f"{BASE}/callback"
AFTER_LOGOUT = f"{BASE}/post_logout_redirect"
KEY = RSAKey.generate_key(2048)


def wish(variant: Variant, metadata: Json) -> Json:
    """The body of a registration: no scope, and a key without a name (R-DCR-1)."""
    body = {
        "client_name": "suite idp-1",
        "grant_types": grants(variant.response_type),
        "response_types": [variant.response_type],
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
        "token_endpoint_auth_method": variant.client_auth,
        "contacts": ["certification@example.com"],
        "jwks": {"keys": [without_kid(KEY)]},
        "a_member_nobody_knows": True,
    } | metadata
    return {name: value for name, value in body.items() if value is not None}


def grants(response_type: str) -> list[str]:
    """Only what the response type needs."""
    words = response_type.split()
    front = ["implicit"] if {"token", "id_token"} & set(words) else []
    return (["authorization_code"] if "code" in words else []) + front


def registered(answer: TestResponse, issuer: str) -> Json:
    """A client, with an answer as it must be (R-DCR-2)."""
    assert answer.status_code == 201, answer.text
    assert answer.mimetype == "application/json"
    client: Json = answer.json
    assert "error" not in client
    assert client["client_id"]
    assert client["registration_client_uri"].startswith(f"{issuer}/")
    assert client["registration_access_token"]
    assert ("client_secret" in client) == ("client_secret_expires_at" in client)
    return client


def static(world: World, body: Json) -> Json:
    """A client that an operator has made beforehand (conformance C.6)."""
    details: dict[str, Any] = {n: v for n, v in body.items() if n != "a_member_nobody_knows"}
    with world.app.app_context():
        view, secret = world.op.clients.add(details, now=world.clock.now)
        db.session.commit()
    made = dict(view.details) | {"client_id": view.client_id}
    return made | ({"client_secret": secret} if secret is not None else {})


def unregister(world: World, client: Json) -> None:
    """The end of every module: the registration is deleted (R-DCR-3)."""
    path = client["registration_client_uri"].removeprefix(world.op.rules.issuer)
    bearer = {"Authorization": f"Bearer {client['registration_access_token']}"}
    answer = world.http().delete(path, headers=bearer)
    assert answer.status_code == 204
    assert answer.data == b""


def without_kid(key: RSAKey) -> Json:
    """The public half, as the suite registers it: without a name."""
    found = key.as_dict(private=False, use="sig", alg="RS256")
    return {name: value for name, value in found.items() if name != "kid"}
