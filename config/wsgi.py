"""The web application: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.local import embedded
from config.memory import keep_what_is_loaded
from config.schema import exit_on_newer_schema

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The settings give the pages a database role of their own.
os.environ["ROLLCALL_PROCESS"] = "web"

if embedded.is_wanted():
    embedded.ensure_running()

application = get_wsgi_application()
exit_on_newer_schema()
# With the pages, which are else loaded by the first request.
_ = get_resolver().url_patterns
keep_what_is_loaded()
