"""The pages: whole as HTML, safe whatever a sender wrote, usable without a script."""

import re
from typing import Any
from urllib.parse import urlsplit

from fixtures_dashboard import Dashboard, Elements, Page, Visitor

from errorstack_live.model import Request, Submission
from errorstack_live.web.section import groups
from errorstack_live.web.state import now

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><a xlink:href='javascript:alert(1)'>x</a></math>",
    "<body onload=alert(1)>",
    "<base href='//evil.test/'>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<link rel=stylesheet href=//evil.test/x.css>",
    "<form action=//evil.test><input name=form_token>",
    "<details open ontoggle=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '"><script>alert(1)</script>',
    "`-alert(1)-`",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "&lt;script&gt;&amp;&#60;&#x3c;",
    "\u202egnp.exe\u2066\u200b\ufeff\x00\x1b[31m\x9b",
    "\\u003cscript\\u003e\u2028\u2029",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "a\r\nX-Injected: 1",
)
ACTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


async def lists(dashboard: Dashboard, visitor: Visitor) -> list[Page]:
    """Every page that shows something of all errors."""
    below = ("", "?q=level:error,warning", "/issues", "/setup")
    paths = ["/", "/status", *(dashboard.page + path for path in below)]
    paths += [path for group in groups(dashboard.stack) for _, path in group.links]
    paths += [f"{dashboard.page}/settings/delete"]
    pages = [await visitor.get(path) for path in paths]
    assert [page.status for page in pages] == [200] * len(paths)
    return pages


async def whole(dashboard: Dashboard, visitor: Visitor, error_id: str) -> tuple[Page, Page]:
    """The pages of one error and of its issue."""
    error = await dashboard.state.store.errors.get(dashboard.stack.id, error_id)
    pages = (
        await visitor.get(f"{dashboard.page}/e/{error_id}"),
        await visitor.get(f"{dashboard.page}/issues/{error.issue}"),
    )
    assert [page.status for page in pages] == [200, 200]
    return pages


def check_harmless(*pages: Page) -> None:
    """Nothing runs, nothing is styled or fetched from elsewhere, no link leads into a script."""
    for page in pages:
        assert not ACTS.search(page.text)
        check_elements(page.elements)


def check_elements(elements: Elements) -> None:
    for tag, attributes in elements.found:
        assert tag not in {"style", "iframe", "img", "object", "embed", "base", "math", "template"}
        for name in attributes:
            assert not name.startswith("on"), (tag, attributes)
            assert name not in {"style", "srcdoc", "formaction", "http-equiv"}, (tag, attributes)
    for script in elements.all("script"):
        is_ours = str(script.get("src", "")).startswith("/static/")
        is_data = script.get("type") == "application/json" and str(script.get("id")).endswith(
            "boot"
        )
        assert is_ours or is_data
    for link in elements.all("a"):
        check_link(link)
    for form in elements.all("form"):
        assert str(form.get("action", "/")).startswith("/")
    for link in elements.all("link"):
        assert str(link["href"]).startswith("/static/")


def check_link(link: dict[str, str | None]) -> None:
    address = urlsplit(link["href"] or "")
    if address.scheme or address.netloc:
        assert address.scheme in {"http", "https"}
        assert set(str(link["rel"]).split()) >= {"noopener", "noreferrer"}


async def test_whatever_a_sender_writes_stays_text(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for payload in PAYLOADS:
        await dashboard.submit({"_msg": payload}, "/log")
        error_id = await dashboard.submit(hostile(payload))
        pages = await whole(dashboard, visitor, error_id)
        check_harmless(*pages)
        shown = ACTS.sub(lambda found: f"U+{ord(found[0]):04X}", payload)
        assert pages[0].elements.text.count(shown) >= 7, payload
    check_harmless(*await lists(dashboard, visitor))


def hostile(text: str) -> dict[str, Any]:
    """An error that has the text wherever an error can have one."""
    return {
        "Msg": text,
        "Type": text,
        "level": "error",
        "File": text,
        "Line": text,
        "PageURL": text,
        "stack": f"Error: {text}\n    at {text} (app.js:1:2)",
        text: "a name",
        "list": [text, [text]],
        "nested": {text: {text: text}},
        "long": text * 500,
        "_unknown": text,
    }


async def test_what_senders_call_themselves_stays_text(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    key, uses = dashboard.stack.keys[0].key, dashboard.state.store.uses
    for payload in PAYLOADS:
        agent = payload.replace(" ", "")
        request = Request("192.0.2.1", agent, f"https://{agent}/", "beacon")
        sent = Submission("GET", b"", b"", 0, "", request, now())
        uses.note(dashboard.stack.id, key, sent)
        await uses.flush()
        page = await visitor.get(f"{dashboard.page}/settings/keys")
        asked = await visitor.get(f"{dashboard.page}/settings/keys/{key}/revoke")
        check_harmless(page, asked)
    assert "U+202E" in page.text


async def test_the_text_itself_is_shown(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    text = '<b>bold</b> & "quoted" {{ 7 * 7 }}'
    page = await visitor.get(f"{dashboard.page}/e/{await dashboard.submit({'Msg': text})}")
    assert page.elements.text.count(text) >= 2


async def test_only_whole_http_addresses_become_links(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    fields = {
        "Msg": "links",
        "good": "https://example.org/a?b=1",
        "bad": "javascript:alert(1)",
        "odd": "https://example.org/\u202e",
    }
    page = await visitor.get(f"{dashboard.page}/e/{await dashboard.submit(fields)}")
    out = [link for link in page.elements.all("a") if link.get("target")]
    assert [link["href"] for link in out] == ["https://example.org/a?b=1"]


async def test_long_values_are_cut_with_more(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    page = await visitor.get(
        f"{dashboard.page}/e/{await dashboard.submit({'Msg': 'long', 'blob': 'z' * 5000})}"
    )
    assert "more (5 KB in all)" in page.text
    assert "z" * 2048 + "<details>" in page.text


# The live view without a script


async def test_the_newest_errors_are_in_the_page(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    ids = [
        await dashboard.submit({"Msg": f"number {place}", "level": "warning"}) for place in (1, 2)
    ]
    await dashboard.submit({"_msg": "deployed 2.4.1"}, "/log")
    page = await visitor.get(dashboard.page)
    assert re.findall(r'data-id="(\w+)"', page.text) == ids[::-1]
    assert "number 1" in page.elements.text
    assert "deployed 2.4.1" in page.elements.text
    assert f'href="{dashboard.page}/e/{ids[0]}"' in page.text


async def test_an_empty_stack_says_how_to_send(dashboard: Dashboard) -> None:
    page = await (await dashboard.signed_in()).get(dashboard.page)
    assert "Waiting for the first error" in page.text
    key = dashboard.stack.keys[0].key
    assert f"curl 'http://localhost/submit?_s={key}&_r=json&Msg=Hello'" in page.elements.text


async def test_the_filter_is_a_form(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await dashboard.submit({"Msg": "a", "service": "web"})
    wanted = await dashboard.submit({"Msg": "b", "service": "mail"})
    page = await visitor.get(f"{dashboard.page}?q=service:mail")
    assert re.findall(r'data-id="(\w+)"', page.text) == [wanted]
    assert 'value="service:mail"' in page.text
    assert "No error matches" in (await visitor.get(f"{dashboard.page}?q=nothing")).text
    wrong = await visitor.get(f"{dashboard.page}?q=%28%28")
    assert (wrong.status, "qwrong" in wrong.text) == (200, True)
    assert "The filter cannot be read" in wrong.text


async def test_older_errors_are_a_link_away(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    ids = [await dashboard.submit({"Msg": "many", "n": place}) for place in range(103)]
    page = await visitor.get(f"{dashboard.page}?q=many")
    older = re.search(r'href="(\?q=many&amp;before=[^"]+)"', page.text)
    assert older
    page = await visitor.get(dashboard.page + older[1].replace("&amp;", "&"))
    found = re.findall(r'data-id="(\w+)"', page.text)
    assert len(found) == 3
    assert set(found) <= set(ids[:10])


async def test_boot_data_is_json_that_cannot_end_its_element(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    page = await visitor.get(f"{dashboard.page}?q=%3C/script%3E%3Cscript%3E")
    boot = re.search(r'<script type="application/json" id="boot">(.*?)</script>', page.text)
    assert boot
    assert "<" not in boot[1]
    assert '"readonly": false' in boot[1].replace(":false", ": false")


# Issues


# Stacks


async def test_a_stack_is_made_on_the_first_page(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/")
    made = await visitor.post("/stacks", name="Größe & Co")
    assert (made.status, made.location) == (302, "/s/groe-co/setup")
    assert "Größe &amp; Co" in (await visitor.get("/")).text
    assert (await visitor.post("/stacks", name=" ")).status == 400


async def test_a_test_error_takes_the_way_of_every_error(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.get(f"{dashboard.page}/setup")
    sent = await visitor.post(f"{dashboard.page}/test")
    assert sent.status == 302
    assert "This is a test error" in (await visitor.get(sent.location)).text


# Other pages


async def test_the_api_page_is_public(dashboard: Dashboard) -> None:
    page = await dashboard.visitor().get("/docs/api")
    assert page.status == 200
    assert dashboard.stack.keys[0].key not in page.text
    check_harmless(page)


FAILURES = (
    ("/nowhere", "text/html,*/*", 404, "text/html"),
    ("/nowhere", "*/*", 404, "text/html"),
    ("/nowhere", "application/json", 404, "application/json"),
    ("/api/v1/nowhere", "text/html", 404, "application/json"),
    ("/s/none", "text/html", 404, "text/html"),
    ("/s/none/e/zz", "text/html", 404, "text/html"),
    ("/login", "application/json", 405, "application/json"),
    ("/static/../app.py", "text/html", 404, "text/html"),
)
"""Path, what is accepted, and the status and kind of the answer."""


async def test_failures_are_answered_as_asked(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for path, accept, status, kind in FAILURES:
        answer = await visitor.send("PUT" if status == 405 else "GET", path, Accept=accept)
        assert answer.status == status, path
        assert answer.headers["Content-Type"].startswith(kind), path
        assert ("Allow" in answer.headers) == (status == 405)
        if kind == "text/html":
            check_harmless(answer)
        else:
            assert set(answer.json) == {"error", "message"}


async def test_a_failure_of_ours_is_told_without_its_inside(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    own_dashboard.app.config["PROPAGATE_EXCEPTIONS"] = False

    @own_dashboard.app.get("/broken")
    async def broken() -> str:
        raise RuntimeError("the inside")

    answer = await visitor.get("/broken")
    assert answer.status == 500
    assert "Something broke on our side" in answer.text
    assert "the inside" not in answer.text


async def test_pages_have_landmarks_labels_and_one_heading(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    error_id = await dashboard.submit({"Msg": "boom"})
    pages = [*await lists(dashboard, visitor), *await whole(dashboard, visitor, error_id)]
    pages += [await visitor.get(path) for path in ("/docs/api", "/nowhere")]
    pages += [await dashboard.visitor().get("/login")]
    for page in pages:
        elements = page.elements
        assert elements.all("html")[0]["lang"] == "en"
        assert [len(elements.all(tag)) for tag in ("main", "h1")] == [1, 1], page.text
        ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        assert len(ids) == len(set(ids))
        labels = {label.get("for") for label in elements.all("label")}
        for tag in ("input", "select", "textarea"):
            for control in elements.all(tag):
                is_named = control.get("id") in labels or control.get("name") == "q"
                is_named |= control.get("type") in {"radio", "checkbox"}  # inside its label
                is_named |= bool(control.get("aria-label"))
                is_hidden = control.get("type") == "hidden" or "hidden" in control
                assert is_named or is_hidden, control


async def test_a_stack_trace_is_shown_frame_by_frame(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    stack = [
        {
            "file": "cart.py",
            "function": "<b>add",
            "line": 7,
            "above": ["def f():"],
            "source": "1/0",
        },
        {"file": "/x/site-packages/quart/app.py", "function": "run", "line": 9},
        {"file": "/x/site-packages/asyncpg/pool.py", "line": 4},
    ]
    error_id = await dashboard.submit({"Msg": "broken", "stack": stack})
    page = await visitor.get(f"{dashboard.page}/e/{error_id}")
    assert "<b>add" not in page.text
    assert "<b>&lt;b&gt;add</b> cart.py" in page.text
    assert "<i>6</i>def f():" in page.text
    assert '<code class="here"><i>7</i>1/0' in page.text
    assert "2 library frames in quart, asyncpg" in page.text
