"""``manage.py errorstack_test``: sends a test error and says whether it arrived."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from errorstack_django.setting import ENDPOINT, KEY, chosen, client

WAIT_S = 10.0


class Command(BaseCommand):
    """Sends whatever the settings say, also where DEBUG would keep it back."""

    help = "Send a test error to ErrorStack, wait for it, and say whether it arrived."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("message", nargs="?", default="A test error from Django")

    def handle(self, *_: Any, **options: Any) -> None:
        for name in (KEY, ENDPOINT):
            if not chosen(name):
                raise CommandError(f"{name} is not set")
        to = client()
        to.log("errorstack_test begins")
        to.submit(Msg=options["message"], type="ErrorStackTest", level="info")
        if not to.flush(WAIT_S) or to.last_problem:
            raise CommandError(f"It did not arrive: {to.last_problem or 'no answer'}")
        self.stdout.write(self.style.SUCCESS(f"It arrived at {chosen(ENDPOINT)}."))
