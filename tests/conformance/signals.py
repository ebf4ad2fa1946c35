"""The plans of Shared Signals (conformance A.4)."""

from tests.conformance.plans import Plan, Variant, named

CONTROL = "openid-ssf-stream-control-error-"
UPDATES = named(
    CONTROL,
    """
    update-stream-with-invalid-token update-stream-with-invalid-body update-unknown-stream
    replace-stream-with-invalid-body replace-stream-with-invalid-token replace-unknown-stream
    """,
)
COMMON = (
    *named("openid-ssf-", "transmitter-metadata stream-control-happy-path"),
    *named(
        CONTROL,
        """
        create-stream-with-broken-input create-stream-with-invalid-token
        create-stream-with-duplicate-config read-stream-with-invalid-token read-unknown-stream
        delete-stream-with-invalid-token delete-unknown-stream
        """,
    ),
    *named(
        "openid-ssf-transmitter-stream-verification-",
        "push poll-only poll-and-ack ack-only error-push-no-auth",
    ),
)
TRANSMITTER = (*COMMON, *UPDATES, "openid-ssf-stream-subject-control")
CAEP = (*COMMON, "openid-ssf-transmitter-stream-caep-interop")

PUSHED = named("openid-ssf-transmitter-stream-verification-", "push error-push-no-auth")
POLLED = named("openid-ssf-transmitter-stream-verification-", "poll-only poll-and-ack ack-only")
TRANSMITTER_RUNS = tuple(
    Variant(
        registration="static",
        client_auth=client_auth,
        more=(delivery, token),
        without=without,
    )
    for delivery, without in (("push", POLLED), ("poll", PUSHED))
    for client_auth, token in (
        ("client_secret_basic", "static"),
        ("client_secret_post", "dynamic"),
        ("private_key_jwt", "dynamic"),
    )
)

SIGNALS = {
    "ssf-transmitter": Plan("openid-ssf-transmitter-test-plan", TRANSMITTER, TRANSMITTER_RUNS),
    "ssf-caep": Plan("openid-ssf-transmitter-caep-test-plan", CAEP, TRANSMITTER_RUNS),
}
