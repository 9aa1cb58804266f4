"""A whole site in one file: KEY=… python manage.py runserver --noreload."""

import logging
import os
import sys
from typing import Any

from django.core.management import execute_from_command_line
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

ROOT_URLCONF = __name__
SECRET_KEY = "an example keeps no secrets"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS: list[str] = ["django.contrib.contenttypes", "django.contrib.auth"]
MIDDLEWARE: list[str] = ["django.middleware.common.CommonMiddleware"]

INSTALLED_APPS += ["errorstack_django"]
MIDDLEWARE = ["errorstack_django.middleware.ErrorStackMiddleware", *MIDDLEWARE]
ERRORSTACK_STACK_KEY = os.environ.get("KEY", "")
ERRORSTACK_ENDPOINT = os.environ.get("URL", "http://127.0.0.1:8700")
ERRORSTACK_RELEASE = "1.0"

log = logging.getLogger("shop")


def boom(_: HttpRequest) -> HttpResponse:
    """Raise what nobody catches."""
    return HttpResponse(1 / 0)


async def later(_: HttpRequest) -> HttpResponse:
    """Raise it in an asynchronous view."""
    raise LookupError("no such order")


def logged(_: HttpRequest) -> HttpResponse:
    """Log an error, and answer as if nothing was."""
    log.error("order %s was not saved", 1017, extra={"order": {"total": 12.5}})
    return HttpResponse("saved")


def missing(_: HttpRequest) -> HttpResponse:
    """Have nothing to show."""
    raise Http404("no such page")


urlpatterns: list[Any] = [
    path("boom", boom, name="boom"),
    path("later", later, name="later"),
    path("logged", logged, name="logged"),
    path("missing", missing, name="missing"),
]

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manage")
    execute_from_command_line(sys.argv)
