"""``share``: create, list and revoke share links."""

import hashlib
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import click

from errorstack_live.access import Share
from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.option import span_option
from errorstack_live.cli.show import echo, visible
from errorstack_live.cli.watching import viewers_by_link, watching_of
from errorstack_live.when import iso


@click.group()
def share() -> None:
    """Create, list and revoke read-only, live links."""


@share.command()
@click.argument("slug", metavar="STACK")
@click.option("--query", default="", help="Only errors that match.")
@click.option("--hide", multiple=True, metavar="FIELD", help="Cut this field out; repeatable.")
@click.option("--expires", callback=span_option, metavar="SPAN", help="Like 12h or 7d.")
@click.option("--name", default="", help="What the link is for, in lists.")
@click.option(
    "--view", default="", metavar="ADDRESS", help="How it looks at first: '?mode=grouped', ..."
)
@click.option("--with-logs", is_flag=True, help="Show the stack's log messages, too.")
@click.option("--no-logs", is_flag=True, hidden=True, help="What goes without saying.")
@json_option
@with_access
async def create(
    access: Access,
    *,
    slug: str,
    query: str,
    hide: tuple[str, ...],
    expires: timedelta | None,
    name: str,
    view: str,
    with_logs: bool,
    no_logs: bool,
    as_json: bool,
) -> None:
    """Create a share link and print it. It is not kept and cannot be printed again."""
    from errorstack_live.query import parse
    from errorstack_live.web import linking, parameter

    found = await access.store.stacks.by_slug(slug)
    token, at = secrets.token_urlsafe(24), now()
    made = await access.store.shares.create(
        found.id,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        name=parameter.name_of(name, required=False),
        query=parse(query).text,
        hidden=parameter.field_names(list(hide)),
        with_logs=with_logs and not no_logs,
        now=at,
        expires_at=at + expires if expires else None,
        initial=linking.initial_view(urlsplit(view).query),
    )
    url = f"{await access.page_url()}/share/{token}"
    if as_json:
        echo({"id": made.id, "url": url, "expires_at": _iso(made.expires_at)})
    else:
        click.echo(url)


@share.command(name="list")
@click.argument("slug", metavar="[STACK]", required=False)
@json_option
@with_access
async def list_shares(access: Access, slug: str | None, *, as_json: bool) -> None:
    """List the share links of a stack, or all, and how many watch by each now."""
    stack_id = (await access.store.stacks.by_slug(slug)).id if slug else None
    slugs = {stack.id: stack.slug for stack in await access.store.stacks.all()}
    viewers = viewers_by_link(await watching_of(access, stack_id))
    for each in await access.store.shares.all(stack_id):
        count = viewers.get(each.id, 0)
        if as_json:
            echo({**_record(each, slugs.get(each.stack, "")), "viewers": count})
        else:
            watched = f"{count} watching" if count else ""
            click.echo(f"{each.id}  {slugs.get(each.stack, ''):<20} {watched:<12} {_words(each)}")


@share.command()
@click.argument("share_id", metavar="ID")
@with_access
async def revoke(access: Access, share_id: str) -> None:
    """End a share link now: who watches through it is cut off within two seconds."""
    await access.store.shares.revoke(share_id, now())
    click.echo("Revoked.")


def _record(each: Share, slug: str) -> dict[str, object]:
    return {
        "id": each.id,
        "stack": slug,
        "name": each.name,
        "query": each.query,
        "hidden": each.hidden,
        "with_logs": each.with_logs,
        "created_at": iso(each.created_at),
        "expires_at": _iso(each.expires_at),
        "revoked_at": _iso(each.revoked_at),
    }


def _words(each: Share) -> str:
    state = "revoked" if each.revoked_at else f"until {_iso(each.expires_at) or 'revoked'}"
    return visible(f"{state}  {each.name}  {each.query}".rstrip())


def _iso(at: datetime | None) -> str | None:
    return iso(at) if at else None
