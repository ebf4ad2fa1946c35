"""An OpenID Connect identity provider whose sign-out is real."""

__version__ = "0.1.0"
