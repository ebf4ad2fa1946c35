"""What breaks around a provider, one thing at a time, and what must hold meanwhile."""
