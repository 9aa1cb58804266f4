"""``issues`` and ``mark``: what kinds of errors a stack has, and what was done about them."""

from datetime import timedelta

import click

from errorstack_live import record
from errorstack_live.cli import show
from errorstack_live.cli.access import Access, json_option, now, with_access, with_settings
from errorstack_live.cli.option import span_option
from errorstack_live.cli.send import send, url_option
from errorstack_live.model import Issue, Status
from errorstack_live.settings import Settings

STATUSES = ("open", "resolved", "ignored", "all")
SORTS = ("last_seen", "first_seen", "count")


@click.group(invoke_without_command=True)
@click.pass_context
def issues(context: click.Context) -> None:
    """List a stack's issues; resolve, ignore, reopen or merge them."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@issues.command("list")
@click.argument("stack")
@click.argument("words", default="")
@click.option("--status", type=click.Choice(STATUSES), default="open", show_default=True)
@click.option("--sort", type=click.Choice(SORTS), default="last_seen", show_default=True)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@with_access
async def list_issues(
    access: Access, stack: str, words: str, *, status: str, sort: str, limit: int, as_json: bool
) -> None:
    """Print issues, the latest or the most first; WORDS are looked for in title, type and place."""
    found = await access.store.stacks.by_slug(stack)
    wanted = None if status == "all" else Status(status)
    listed = await access.store.issues.find(
        found.id, status=wanted, query=words, sort=sort, limit=limit
    )
    for each in listed:
        _out(each, as_json=as_json)


def _saying(name: str, status: Status, help_text: str) -> click.Command:
    @issues.command(name, help=help_text)
    @click.argument("stack")
    @click.argument("ids", nargs=-1, required=True, metavar="ID...")
    @json_option
    @with_access
    async def say(access: Access, stack: str, ids: tuple[str, ...], *, as_json: bool) -> None:
        await _set(access, stack, ids, status, as_json=as_json)

    return say


resolve = _saying("resolve", Status.RESOLVED, "Resolve issues; one that returns has regressed.")
reopen = _saying("reopen", Status.OPEN, "Open issues again.")


@issues.command("ignore")
@click.argument("stack")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--for", "span", callback=span_option, metavar="TIME", help="So long: 30m, 8h. Else for ever."
)
@click.option("--more", type=click.IntRange(min=1), help="Until so many more errors came.")
@json_option
@with_access
async def ignore(
    access: Access,
    stack: str,
    ids: tuple[str, ...],
    span: timedelta | None,
    more: int | None,
    *,
    as_json: bool,
) -> None:
    """Ignore issues for a time, until more errors came, or for ever."""
    await _set(access, stack, ids, Status.IGNORED, last=span, more=more, as_json=as_json)


@issues.command("merge")
@click.argument("stack")
@click.argument("into")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@json_option
@with_access
async def merge(
    access: Access, stack: str, into: str, ids: tuple[str, ...], *, as_json: bool
) -> None:
    """Make issues a part of the issue INTO; a running server moves their errors."""
    found = await access.store.stacks.by_slug(stack)
    target, *_ = await access.store.merges.merge(found.id, ids, into, now())
    _out(target, as_json=as_json)


@click.command()
@click.argument("key")
@click.argument("text")
@url_option
@json_option
@with_settings
async def mark(settings: Settings, key: str, text: str, url: str | None, *, as_json: bool) -> None:
    """Set a marker in the stream, for example "deployed 2.4.1"."""
    await send(settings, url, "/mark", [("_s", key), ("_msg", text)], as_json=as_json)


async def _set(
    access: Access,
    stack: str,
    ids: tuple[str, ...],
    status: Status,
    *,
    last: timedelta | None = None,
    more: int | None = None,
    as_json: bool,
) -> None:
    found = await access.store.stacks.by_slug(stack)
    at = now()
    until_at = at + last if last else None
    changed = await access.store.issues.set_status(
        found.id, ids, status, at, until_at=until_at, more=more
    )
    for each in changed:
        _out(each, as_json=as_json)
    if len(changed) < len(set(ids)):
        raise show.Failed(f"{len(set(ids)) - len(changed)} of these issues are not there.")


def _out(issue: Issue, *, as_json: bool) -> None:
    if as_json:
        show.echo(record.of_issue(issue))
    else:
        show.console().print(show.issue_line(issue))
