"""The pages lane as a WSGI application; `asgi.py` runs it in a thread pool."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.config.settings")

application = get_wsgi_application()
