"""The same site for an ASGI server: hypercorn asgi:application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manage")
application = get_asgi_application()
