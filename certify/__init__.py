"""The provider set up for the OpenID Foundation's certification: https, people, clients, hooks."""
