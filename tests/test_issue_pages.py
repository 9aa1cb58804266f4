"""Issues as pages: their list, each on its own, and the rules that group errors."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fixtures_dashboard import Dashboard
from test_api_issues import guest, kinds, moved

from errorstack_live.model import Rule, Status
from errorstack_live.web.issue import WAYS
from errorstack_live.web.render import columns, lasting, rate

HOSTILE = '<img src=x onerror="alert(1)">\u202e"\'</script>'


async def said(dashboard: Dashboard, issue: str) -> Any:
    return await dashboard.state.store.issues.get(dashboard.stack.id, issue)


# The list


async def test_issues_are_listed_by_state_and_order(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "uno", "due", user="ada")
    await kinds(dashboard, "uno", user="kim")
    page = await visitor.get(f"{dashboard.page}/issues?sort=count")
    assert page.status == 200
    places = [page.text.index(f"/issues/{each}") for each in (first, second)]
    assert places == sorted(places)
    assert "2 users" in page.elements.text
    assert page.text.count('<svg class="trend"') == 2
    assert "uno" not in (await visitor.get(f"{dashboard.page}/issues?text=due")).elements.text
    for odd in ("status=odd", "sort=odd"):
        assert (await visitor.get(f"{dashboard.page}/issues?{odd}")).status == 400


async def test_many_are_spoken_of_at_once_and_it_is_taken_back(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    ids = await kinds(dashboard, "one", "two", "three")
    path = f"{dashboard.page}/issues"
    await visitor.get(path)
    done = await visitor.send_form(
        path, [("ids", ids[0]), ("ids", ids[1]), ("do", "ignored"), ("way", "100")]
    )
    assert done.status == 302
    assert [(await said(dashboard, one)).status for one in ids] == [
        Status.IGNORED, Status.IGNORED, Status.OPEN
    ]  # fmt: skip
    assert (await said(dashboard, ids[0])).until_count == 101
    page = await visitor.get(done.location)
    assert "Undo" in page.text
    undo = parse_qs(urlsplit(done.location).query)
    await visitor.post(f"{dashboard.page}/undo", ids=undo["ids"][0], done_at=undo["at"][0])
    assert {(await said(dashboard, one)).status for one in ids} == {Status.OPEN}


async def test_ticked_issues_become_one(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "one", "two")
    await kinds(dashboard, "one")
    path = f"{dashboard.page}/issues"
    await visitor.get(path)
    await visitor.send_form(path, [("ids", second), ("ids", first), ("do", "merge")])
    await moved(dashboard)
    assert (await said(dashboard, second)).into == first
    page = await visitor.get(f"{path}/{second}")
    assert (page.status, page.location) == (302, f"{path}/{first}")
    page = await visitor.get(f"{path}/{first}")
    assert "Merged into this" in page.text
    done = await visitor.post(f"{path}/{second}", do="unmerge")
    assert done.location == f"{path}/{second}?done=unmerged"
    assert (await said(dashboard, second)).into is None


# One issue


async def test_an_issue_is_resolved_ignored_and_reopened(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    (issue,) = await kinds(dashboard, "boom")
    path = f"{dashboard.page}/issues/{issue}"
    assert (await visitor.get(path)).status == 200
    for status in (Status.RESOLVED, Status.IGNORED, Status.OPEN):
        done = await visitor.post(path, do=status)
        assert (done.status, done.location.split("?")[0]) == (302, path)
        assert (await said(dashboard, issue)).status is status
        assert f'data-status="{status}"' in (await visitor.get(done.location)).text
    for form in ({"do": "gone"}, {}, {"do": "ignored", "way": "never"}):
        assert (await visitor.post(path, **form)).status == 400
    nobody = f"{dashboard.page}/issues/{'0' * 24}"
    assert (await visitor.post(nobody, do="resolved")).status == 404
    done = await visitor.post(path, do="resolved", back="issues")
    assert done.location.split("?")[0] == f"{dashboard.page}/issues"
    assert "No open issue" in (await visitor.get(f"{dashboard.page}/issues")).text


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_ignore_it(dashboard: Dashboard, way: str) -> None:
    visitor = await dashboard.signed_in()
    (issue,) = await kinds(dashboard, "boom")
    await visitor.get(f"{dashboard.page}/issues/{issue}")
    await visitor.post(f"{dashboard.page}/issues/{issue}", do="ignored", way=way)
    found = await said(dashboard, issue)
    assert (found.until_at is not None, found.until_count is not None) == (
        WAYS[way][1] is not None,
        WAYS[way][2] is not None,
    )
    assert "ignored" in (await visitor.get(f"{dashboard.page}/issues?status=ignored")).text


async def test_an_issues_page_tells_all_without_a_script(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.send("POST", f"{dashboard.data}/markers", {"text": "deployed 2.4.1"})
    for number in range(3):
        fields = {"release": f"2.4.{number % 2}", "user": number}
        (issue,) = await kinds(dashboard, "cannot read price", name="TypeError", **fields)
    await kinds(dashboard, "cannot read total", name="TypeError")
    text = (await visitor.get(f"{dashboard.page}/issues/{issue}")).elements.text
    for told in (
        "3 times",
        "3 users",
        "Since",
        "deployed 2.4.1",
        "release",
        "2.4.1",
        "cannot read total",
    ):
        assert told in text, told
    page = await visitor.get(f"{dashboard.page}/issues/{issue}?reach=week")
    assert page.text.count('<line x1="') == 1, "the marker's line"
    assert (await visitor.get(f"{dashboard.page}/issues/{issue}?reach=year")).status == 400


async def test_what_senders_wrote_is_only_text(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.send(
        "POST", f"{dashboard.data}/markers", {"text": HOSTILE[:60].replace("\u202e", "")}
    )
    for _ in range(2):
        (issue,) = await kinds(dashboard, HOSTILE, **{HOSTILE: HOSTILE, "name": HOSTILE})
    rule = {"query": "img", "split": [HOSTILE[:40]]}
    await visitor.send("POST", f"{dashboard.data}/rules/preview", rule)
    await visitor.get(f"{dashboard.page}/settings/grouping")
    tried = await visitor.post(
        f"{dashboard.page}/settings/grouping",
        query="img",
        kind="group",
        group=HOSTILE[:40].replace("\u202e", ""),
        **{"try": "yes"},
    )
    for page in (
        await visitor.get(f"{dashboard.page}/issues"),
        await visitor.get(f"{dashboard.page}/issues/{issue}"),
        tried,
    ):
        assert page.status == 200
        assert "<img" not in page.text
        assert "\u202e" not in re.sub(r'<script type="application/json".*?</script>', "", page.text)
        assert all("onerror" not in attributes for _, attributes in page.elements.found)


async def test_a_guests_issue_page_shows_what_the_link_shows(dashboard: Dashboard) -> None:
    (shown,) = await kinds(dashboard, "seen", service="web", plan="s3", user="ada")
    (kept,) = await kinds(dashboard, "kept", service="mail")
    member = await dashboard.signed_in()
    await member.send("POST", f"{dashboard.data}/markers", {"text": "hotfix for a customer"})
    whole, base = await guest(dashboard)
    page = await whole.get(f"{base.removesuffix('/api')}/issues/{shown}")
    assert page.status == 200
    assert "hotfix" in page.text
    assert "noindex" in page.text
    for word in ("Resolve", "Group differently", "settings", dashboard.member.email):
        assert word not in page.text, word
    for limits in ({"query": "service:web"}, {"hidden": ["plan", "service"]}):
        limited, base = await guest(dashboard, **limits)
        page = await limited.get(f"{base.removesuffix('/api')}/issues/{shown}")
        assert page.status == 200
        assert "hotfix" not in page.text
        assert "1 user" not in page.text
        if "hidden" in limits:
            assert "s3" not in page.text
        else:
            other = await limited.get(f"{base.removesuffix('/api')}/issues/{kept}")
            assert other.status == 404
    assert (
        await limited.post(f"{base.removesuffix('/api')}/issues/{shown}", do="resolved")
    ).status in {403, 405}


# Rules


async def test_rules_are_tried_added_moved_and_removed(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await kinds(dashboard, "timeout of a", "timeout of b", service="search")
    path = f"{dashboard.page}/settings/grouping"
    page = await visitor.get(f"{path}?q=issue:{'0' * 24}")
    assert f'value="issue:{"0" * 24}"' in page.text
    form = {"query": "timeout", "kind": "group", "group": " Search  is slow "}
    tried = (await visitor.post(path, **form, **{"try": "yes"})).elements.text
    assert "2 of the newest errors match" in tried
    assert "Search is slow" in tried
    assert (await dashboard.reload()).grouping.rules == ()
    assert (await visitor.post(path, **form)).location == f"{path}?done=added"
    await visitor.post(path, query="a", kind="split", split="service, user.id,service")
    rules = (await dashboard.reload()).grouping.rules
    assert rules == (Rule("timeout", "Search is slow"), Rule("a", split=("service", "user.id")))
    second = "a\n\nservice\nuser.id"
    await visitor.post(f"{path}/change", rule=second, do="up")
    assert [each.query for each in (await dashboard.reload()).grouping.rules] == ["a", "timeout"]
    await visitor.post(f"{path}/change", rule=second, do="remove")
    await visitor.post(f"{path}/change", rule=second, do="remove")  # it is gone already
    assert [each.query for each in (await dashboard.reload()).grouping.rules] == ["timeout"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"query": "", "group": "A"}, "A rule needs a query"),
        ({"query": "a:", "group": "A"}, "The query:"),
        ({"query": "a", "group": ""}, "either names one issue"),
        ({"query": "a", "kind": "split", "split": " , "}, "either names one issue"),
        ({"query": "a", "group": "x" * 99}, "at most 80 characters"),
    ],
)
async def test_what_is_no_rule_is_said(
    dashboard: Dashboard, form: dict[str, str], words: str
) -> None:
    visitor = await dashboard.signed_in()
    await visitor.get(f"{dashboard.page}/settings/grouping")
    page = await visitor.post(f"{dashboard.page}/settings/grouping", **form)
    assert (page.status, words in page.elements.text) == (400, True), page.elements.text


# Words


@pytest.mark.parametrize(
    ("count", "seconds", "words"),
    [(0, 9, "none"), (90, 60, "1.5 per s"), (12, 720, "1 per min"), (3, 3600, "3 per h")],
)
def test_rates_in_words(count: int, seconds: float, words: str) -> None:
    assert rate(count, seconds) == words


def test_columns_are_parts_of_the_highest() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    found = columns([0, 4, 2, 0], since, timedelta(minutes=1))
    assert [(each.x, each.height) for each in found] == [(25, 100), (50, 50)]
    assert found[0].words == "4, 2026-01-01 00:01:00 UTC"
    assert columns([], since, timedelta(minutes=1)) == []
    assert [lasting(timedelta(seconds=n)) for n in (0, 61, 3600, 90_061)] == [
        "0 s", "1 m 1 s", "1 h", "1 d 1 h"
    ]  # fmt: skip
