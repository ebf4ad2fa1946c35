"""A transmitter of security events (OpenID Shared Signals Framework 1.0).

Clients make streams, and are told what happened to the people who use them: as signed tokens
that are pushed to them (RFC 8935) or that they fetch (RFC 8936).
"""
