"""Every module of the OpenID Foundation's certification plans, as a test of ours.

What to write. A test is named after its module and says which one it is; the kit sends what the
module sends and checks on the way what every module checks (conformance B.0), so that a test
says only what is its own:

    @module("oidcc-server")                        # in every plan that lists it
    def test_server(rp: RelyingParty) -> None:
        given, said = rp.signs_in()                # tokens as they came, claims of the ID token

        assert rp.userinfo(given["access_token"]).json["sub"] == said["sub"]

    @module("oidcc-x", plan="basic")               # in one plan, or a tuple of plans
    @module("oidcc-y", skip="none is not advertised, so the suite skips it")
    @module("oidcc-z", warning="why it is only a warning")

The parts:

- `plans.py`, `fapi.py`, `signals.py`: the plans of conformance A.1 to A.4, their modules and
  their variants. A test with the fixture `rp`, `registers` or `variant` runs once for every
  variant of its plans; a plan without variants does not run yet. COMPLETE names the plans of
  which every module must have a test (tests/house/test_modules.py).
- `marks.py`: `module(...)`. `tables.py`: what docs/conformance.md says of each plan;
  `python -m tests.conformance` counts passes, warnings and skips.
- `party.py`: RelyingParty. `goes()` sends the browser; `follows()` does what the pages ask, by
  their stable ids; `comes_back()` reads the answer from query, fragment or form;
  `authorizes()` is the three together; `redeems()` and `tokens()` call the token endpoint;
  `signs_in()` is the whole way; `userinfo()`; `refused(answer, "invalid_grant")` checks an
  error. `authenticates()` is how the client proves itself at any endpoint.
- `registration.py`: what it sends to register, and the static clients of conformance C.6.
- `pages.py`: forms, pressed by the id of their button. `checks.py`: the B.0 checks themselves.
- `listener.py`: the suite's own server on loopback, for key sets, request objects, notices.

Fixtures (`conftest.py`): `op`, one provider for each file, on SQLite, and marked slow again on
PostgreSQL; `rp`, a relying party of the variant at hand; `registers(**metadata)`, another one.
"""
