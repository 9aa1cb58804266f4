"""A real WordPress, and what its administrator does in it: pages are asked for, forms are sent."""

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
from harness import php
from harness.mariadb import mariadb

DEBIAN = Path("/usr/share/wordpress")
ADMIN, PASSWORD = "keeper", "a long password, for this test only"
CONFIG = """<?php
define('DB_NAME', 'blog');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
{salts}
define('FS_METHOD', 'direct');
define('WP_DEBUG', true);
define('WP_DEBUG_DISPLAY', false);
define('WP_DEBUG_LOG', '{folder}/wp-content/debug.log');
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_DEFAULT_THEME', 'plain');
$table_prefix = 'wp_';
/* what is pasted goes here */
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
THEME = {
    "style.css": "/*\nTheme Name: Plain\n*/\n",
    "index.php": "<!doctype html><html><head><title>A blog</title><?php wp_head(); ?></head>"
    "<body><?php bloginfo('name'); wp_footer(); ?></body></html>\n",
}
"""Debian packs themes apart, and others with each release: this one is all a theme must be."""
SALTS = (
    *("AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY"),
    *("AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT"),
)


@dataclass(frozen=True, slots=True)
class Blog:
    """A running WordPress; ``browser`` is signed in as its administrator."""

    url: str
    folder: Path
    browser: httpx.Client

    @property
    def version(self) -> str:
        text = (self.folder / "wp-includes" / "version.php").read_text()
        found = re.search(r"^\$wp_version = '(.+)';", text, re.MULTILINE)
        assert found
        return found[1]

    def visit(self, path: str = "/") -> httpx.Response:
        """What somebody sees who is not signed in."""
        return httpx.get(self.url + path, timeout=php.RUN_S)

    def open(self, page: str) -> httpx.Response:
        """A page of the administration."""
        answer = self.browser.get(f"/wp-admin/{page}")
        assert answer.status_code == 200, (page, answer.status_code)
        return answer

    def form(self, page: str, action: str) -> dict[str, str]:
        """The fields of the form that goes to ``action``, as the page shows them."""
        forms = _Forms()
        forms.feed(self.open(page).text)
        return forms.found[action]

    def follow(self, page: str, link: str) -> httpx.Response:
        """Follow the first link with this pattern on a page."""
        found = re.search(rf'href="([^"]*{link}[^"]*)"', self.open(page).text)
        assert found, link
        to = unescape(found[1])
        return self.browser.get(to if to.startswith("http") else f"/wp-admin/{to}")

    def upload(self, archive: bytes) -> None:
        """Plugins → Add New → Upload Plugin, and activate it."""
        forms = _Forms()
        forms.feed(self.open("plugin-install.php?tab=upload").text)
        (action,) = [each for each in forms.found if "upload-plugin" in each]
        done = self.browser.post(
            action, data=forms.found[action], files={"pluginzip": ("errorstack.zip", archive)}
        )
        assert "installed successfully" in done.text, done.text
        self.activate("errorstack")

    def activate(self, name: str) -> None:
        answer = self.follow("plugins.php", f'action=activate&amp;plugin={name}[^"]*')
        assert "Plugin activated" in answer.text, answer.text

    def deactivate(self, name: str) -> None:
        answer = self.follow("plugins.php", f'action=deactivate&amp;plugin={name}[^"]*')
        assert "Plugin deactivated" in answer.text

    def delete(self, file: str) -> None:
        """Select the plugin, choose Delete, and say yes."""
        chosen = {"action": "delete-selected", "checked[]": file, "verify-delete": "1"}
        forms = _Forms()
        forms.feed(self.open("plugins.php").text)
        nonce = forms.found["#bulk-action-form"]["_wpnonce"]
        answer = self.browser.post("/wp-admin/plugins.php", data={**chosen, "_wpnonce": nonce})
        assert answer.status_code == 200

    def set(self, **options: str) -> httpx.Response:
        """Fill in Settings → ErrorStack, and save."""
        fields = self.form("options-general.php?page=errorstack", "options.php")
        fields |= {f"errorstack[{name}]": text for name, text in options.items()}
        return self.browser.post("/wp-admin/options.php", data=fields)

    def options(self) -> dict[str, str]:
        """What Settings → ErrorStack shows."""
        fields = self.form("options-general.php?page=errorstack", "options.php")
        return {name[11:-1]: text for name, text in fields.items() if name[:11] == "errorstack["}

    @contextmanager
    def pasted(self, lines: str) -> Iterator[None]:
        """Have these lines in wp-config.php."""
        path = self.folder / "wp-config.php"
        before = path.read_text()
        path.write_text(before.replace("/* what is pasted goes here */", lines))
        try:
            yield
        finally:
            path.write_text(before)

    def took_ms(self, path: str) -> float:
        began = time.perf_counter()
        self.visit(path)
        return (time.perf_counter() - began) * 1000


@contextmanager
def blog(folder: Path, ini: php.Ini) -> Iterator[Blog]:
    """Install Debian's WordPress into ``folder`` as its user does, and serve it."""
    site = folder / "site"
    shutil.copytree(DEBIAN, site, ignore_dangling_symlinks=True)
    theme = site / "wp-content" / "themes" / "plain"
    theme.mkdir(parents=True)
    for name, text in THEME.items():
        (theme / name).write_text(text)
    with mariadb("blog") as socket:
        salts = "\n".join(f"define('{name}', '{secrets.token_hex(32)}');" for name in SALTS)
        config = CONFIG.format(socket=socket, salts=salts, folder=site)
        (site / "wp-config.php").write_text(config)
        with (
            php.site(site, log=folder / "site.log", ini=ini) as served,
            httpx.Client(base_url=served.url, timeout=php.RUN_S, follow_redirects=True) as browser,
        ):
            _install(browser)
            yield Blog(served.url, site, browser)


def _install(browser: httpx.Client) -> None:
    named = {"weblog_title": "A blog", "user_name": ADMIN, "admin_email": "keeper@blog.example"}
    secret = {"admin_password": PASSWORD, "admin_password2": PASSWORD, "pw_weak": "on"}
    done = browser.post("/wp-admin/install.php?step=2", data={**named, **secret, "language": ""})
    assert "WordPress has been installed" in done.text, done.text
    sign_in(browser, ADMIN, PASSWORD)


def sign_in(browser: httpx.Client, name: str, password: str) -> None:
    browser.get("/wp-login.php")  # sets the cookie that the form asks for
    answer = browser.post("/wp-login.php", data={"log": name, "pwd": password, "testcookie": "1"})
    assert "wp-admin-bar" in answer.text or "adminmenu" in answer.text, answer.text


class _Forms(HTMLParser):
    """The forms of a page, by their action, else ``#id``: what a browser would send of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = of.get("action", "")
            short = action if "?" in action else action.rpartition("/wp-admin/")[2]
            self._form = self.found.setdefault(short or f"#{of.get('id')}", {})
        elif tag == "input" and "name" in of and "disabled" not in of:
            if of.get("type") not in {"checkbox", "radio"} or "checked" in of:
                self._form[of["name"]] = of.get("value", "on")
        elif tag == "select":
            self._select = of.get("name", "")
        elif tag == "option" and self._select and "selected" in of:
            self._form[self._select] = of.get("value", "")
