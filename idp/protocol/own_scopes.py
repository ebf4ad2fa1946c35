"""Scopes of endpoints of our own that a client can have for itself, with what they allow."""

SSF_READ = "ssf.read"
SSF_MANAGE = "ssf.manage"

OWN_SCOPES = (SSF_READ, SSF_MANAGE)
