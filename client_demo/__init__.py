"""An outsider: two apps and an API that trust the provider, and nothing else of ours."""
