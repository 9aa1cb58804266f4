"""Which errors of a stack are one issue: its rules, each tried before it holds, and its merges."""

from dataclasses import dataclass

from quart import Blueprint, request

from errorstack_live import grouping
from errorstack_live.errors import Invalid, QueryError
from errorstack_live.model import Rule
from errorstack_live.web import regroup
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.regroup import Trial
from errorstack_live.web.stack.place import BASE, Answer, back, page
from errorstack_live.web.state import now, state

NOTES = {
    "added": "The rule holds for what is sent from now on.",
    "removed": "The rule is gone. What it has grouped stays as it is.",
    "moved": "Moved.",
    "unmerged": "It stands alone again; its errors follow within moments.",
}

part = Blueprint("stack_grouping", __name__)


@dataclass(frozen=True, slots=True)
class Given:
    """A rule as it stands in the form."""

    query: str = ""
    kind: str = "group"
    group: str = ""
    split: str = ""

    def rule(self) -> Rule:
        """The rule it makes. Raises Invalid or QueryError for none."""
        names = tuple(dict.fromkeys(name.strip() for name in self.split.split(",") if name.strip()))
        is_split = self.kind == "split"
        return grouping.check(
            Rule(
                self.query.strip(),
                "" if is_split else " ".join(self.group.split()),
                names if is_split else (),
            )
        )


@part.get(f"{BASE}/grouping")
async def rules(**_: str) -> Answer:
    """The rules, and a form for another: ``?q=`` is its query."""
    who = await writer()
    return await _page(who, Given(query=request.args.get("q", "")))


@part.post(f"{BASE}/grouping")
async def add(**_: str) -> Answer:
    """Add a rule behind the others, or (``try``) only show what it would have done."""
    who = await writer()
    form = await request.form
    given = Given(*(form.get(name, "")[:20_000] for name in ("query", "kind", "group", "split")))
    try:
        rule = given.rule()
        if "try" in form:
            return await _page(who, given, trial=await regroup.preview(who, rule))
        kept = grouping.check_all((*who.stack.grouping.rules, rule))
    except QueryError as wrong:
        said = f"The query: {wrong.message} (character {wrong.at + 1})"
        return await _page(who, given, problem=said), 400
    except Invalid as wrong:
        return await _page(who, given, problem=wrong.message), 400
    await state().store.stacks.set_rules(who.stack.id, kept)
    return back(who, "grouping", "added")


@part.post(f"{BASE}/grouping/change")
async def change(**_: str) -> Answer:
    """Take a rule away, or let it hold before the one above it. It is named by all it says."""
    who = await writer()
    form = await request.form
    kept = list(who.stack.grouping.rules)
    place = next((n for n, rule in enumerate(kept) if name_of(rule) == form.get("rule")), None)
    if place is None:  # somebody else was first
        return back(who, "grouping", "removed")
    if form.get("do") == "up":
        kept.insert(max(0, place - 1), kept.pop(place))
        done = "moved"
    else:
        del kept[place]
        done = "removed"
    await state().store.stacks.set_rules(who.stack.id, kept)
    return back(who, "grouping", done)


@part.post(f"{BASE}/grouping/unmerge")
async def unmerge(**_: str) -> Answer:
    """Take an issue out of the one it was merged into."""
    who = await writer()
    issue_id = (await request.form).get("issue", "")
    await state().store.merges.unmerge(who.stack.id, issue_id, now())
    return back(who, "grouping", "unmerged")


def name_of(rule: Rule) -> str:
    """What tells a rule from others in a form."""
    return "\n".join((rule.query, rule.group, *rule.split))


async def _page(
    who: Reader, given: Given, *, trial: Trial | None = None, problem: str | None = None
) -> str:
    merges = who.stack.grouping.merges
    merged = await state().store.issues.merged(who.stack.id) if merges else []
    targets = {each.id: each for each in await state().store.issues.by_ids(
        [each.into for each in merged if each.into]
    )}  # fmt: skip
    return await page(
        who,
        "grouping",
        NOTES,
        given=given,
        trial=trial,
        problem=problem,
        rules=[(name_of(rule), rule) for rule in who.stack.grouping.rules],
        merged=[(each, targets.get(each.into or "")) for each in merged],
        max_rules=grouping.MAX_RULES,
        tried=regroup.TRIED,
    )
