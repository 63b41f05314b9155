"""The web application: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The settings give the pages a database role of their own.
os.environ["ROLLCALL_PROCESS"] = "web"

if embedded.is_wanted():
    embedded.ensure_running()

application = get_wsgi_application()
