"""The members a discovery document may have without a warning (conformance C.1)."""

from tests.conformance.checks import words

ENDPOINTS_THAT_AUTHENTICATE = ("token", "revocation", "introspection")
ENCRYPTED = ("id_token", "userinfo", "request_object", "authorization", "introspection")

MEMBERS = (
    words(
        """
    issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported
    response_types_supported response_modes_supported grant_types_supported service_documentation
    ui_locales_supported op_policy_uri op_tos_uri revocation_endpoint
    global_token_revocation_endpoint global_token_revocation_endpoint_auth_methods_supported
    introspection_endpoint code_challenge_methods_supported userinfo_endpoint
    end_session_endpoint check_session_iframe subject_types_supported display_values_supported
    claim_types_supported claims_supported claims_locales_supported claims_parameter_supported
    request_parameter_supported request_uri_parameter_supported require_request_uri_registration
    acr_values_supported prompt_values_supported frontchannel_logout_supported
    frontchannel_logout_session_supported backchannel_logout_supported
    backchannel_logout_session_supported dpop_signing_alg_values_supported
    pushed_authorization_request_endpoint require_pushed_authorization_requests
    authorization_details_types_supported authorization_challenge_endpoint
    authorization_response_iss_parameter_supported device_authorization_endpoint
    require_signed_request_object backchannel_authentication_endpoint
    backchannel_token_delivery_modes_supported backchannel_user_code_parameter_supported
    backchannel_authentication_request_signing_alg_values_supported
    client_attestation_signing_alg_values_supported challenge_endpoint
    client_attestation_pop_signing_alg_values_supported mtls_endpoint_aliases
    tls_client_certificate_bound_access_tokens signed_metadata
    client_id_metadata_document_supported protected_resources status_list_aggregation_endpoint
    """
    )
    .union(
        f"{name}_endpoint_auth_{what}_supported"
        for name in ENDPOINTS_THAT_AUTHENTICATE
        for what in ("methods", "signing_alg_values")
    )
    .union(
        f"{name}_{what}_values_supported"
        for name in ENCRYPTED
        for what in ("signing_alg", "encryption_alg", "encryption_enc")
    )
)
