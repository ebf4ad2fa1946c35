"""What an API says of itself (RFC 9728)."""

import pytest

from idp.guard.metadata import ProtectedResource, address_of, document, path_of
from tests.support.spec import spec

ISSUER, API = "https://issuer.test", "https://api.test/v1"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@spec("RFC 9728 section 2", "RFC 9728 section 3.3")
def test_it_names_itself_its_issuer_and_what_it_takes() -> None:
    about = ProtectedResource(
        name="Notes",
        scopes=["notes:read"],
        documentation="https://api.test/docs",
        policy="https://api.test/privacy",
        terms="https://api.test/terms",
        details_types=["payment"],
        bound=True,
    )

    said = document(ISSUER, API, about)

    assert said.pop("dpop_signing_alg_values_supported")
    assert said == {
        "resource": API,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "dpop_bound_access_tokens_required": True,
        "scopes_supported": ["notes:read"],
        "resource_name": "Notes",
        "resource_documentation": "https://api.test/docs",
        "resource_policy_uri": "https://api.test/privacy",
        "resource_tos_uri": "https://api.test/terms",
        "authorization_details_types_supported": ["payment"],
    }


@spec("RFC 9728 section 2")
def test_what_is_not_known_is_left_out() -> None:
    said = document(ISSUER, API, ProtectedResource())

    assert all(value not in (None, [], "") for value in said.values())
    assert not {name for name in said if name.startswith("resource_")}


@spec("RFC 9728 section 3.1")
@pytest.mark.parametrize(
    ("audience", "path"),
    [
        ("https://api.test", ""),
        ("https://api.test/", ""),
        ("https://api.test/v1", "/v1"),
        ("https://api.test/v1?tenant=a", "/v1?tenant=a"),
    ],
)
def test_it_is_found_before_the_path_of_the_api(audience: str, path: str) -> None:
    assert path_of(audience) == WELL_KNOWN + path
    assert address_of(audience) == f"https://api.test{WELL_KNOWN}{path}"


@spec("RFC 9728 section 3")
@pytest.mark.parametrize("audience", ["urn:api:notes", "api.test", "https:///v1"])
def test_what_has_no_address_has_no_metadata(audience: str) -> None:
    with pytest.raises(ValueError, match="address of the web"):
        path_of(audience)
