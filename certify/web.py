"""What the web server loads in a certification run: the provider, its worker, and the hooks."""

from certify.hooks import mount
from idp.serving import app

mount(app)
