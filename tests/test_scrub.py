"""Secrets go, and nothing else does."""

import time
import timeit
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorstack_live.model import JSON
from errorstack_live.scrub import SCRUBBED, scrub, scrub_text

SECRET_NAMES = [
    *("password", "Password", "passwd", "user_password", "PASSWORD_CONFIRMATION", "passphrase"),
    *("pwd", "db_pass", "pass", "secret", "client_secret", "SECRET_KEY", "aws_secret_access_key"),
    *("token", "accessToken", "access_token", "X-Auth-Token", "refresh-token", "idToken"),
    *("tokens", "csrfmiddlewaretoken", "csrf_token", "X-CSRF-Token", "xsrf", "api_key", "apiKey"),
    *("API-KEY", "X-Api-Key", "private_key", "encryption.key", "Authorization"),
    *("HTTP_AUTHORIZATION", "proxy-authorization", "cookie", "Cookie", "HTTP_COOKIE"),
    *("Set-Cookie", "document.cookie", "sessionid", "session_id", "PHPSESSID", "JSESSIONID"),
    *("connect.sid", "sid", "card", "card_number", "cardNumber", "credit-card", "ccnum", "cvv"),
    *("cvv2", "cvc", "credentials", "auth", "jwt", "otp", "securityCode"),
]

INNOCENT_NAMES = [
    *("Line", "Msg", "URL", "name", "id", "user", "user_id", "order_id", "orderId"),
    *("session_count", "token_count", "tokenCount", "tokenizer", "secretary", "cookieEnabled"),
    *("cookie_consent", "author", "authority", "authenticated", "keyboard", "key", "keys"),
    *("monkey", "passenger", "passed", "compass", "bypass", "cardinal", "dashcard", "discard"),
    *("sidebar", "inside", "side", "cc", "bcc", "description", "process", "thread", "hash"),
    *("uuid", "release", "public_key", "stackKey", "pin", "fields", "status", "accountNumber"),
    *("passport_country", "basic", "bearer_count"),
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_name_hides_its_value(name: str) -> None:
    assert scrub({name: "hunter2"}) == ({name: SCRUBBED}, (name,))
    assert scrub({name: 12345}) == ({name: SCRUBBED}, (name,))
    assert scrub({name: ["a", {"b": "c"}]}) == ({name: SCRUBBED}, (name,))
    assert scrub({"x": [{name: "a"}]})[1] == (f"x.{name}",)


@pytest.mark.parametrize("name", INNOCENT_NAMES)
def test_an_innocent_name_hides_nothing(name: str) -> None:
    fields: dict[str, JSON] = {name: "hunter2"}
    assert scrub(fields)[0] is fields


@pytest.mark.parametrize("value", [True, False, None, "", "true", "FALSE", " null ", "undefined"])
def test_a_secret_name_may_say_whether_there_is_a_value(value: JSON) -> None:
    fields: dict[str, JSON] = {"password": value}
    assert scrub(fields) == (fields, ())


def test_given_names_are_secret_too() -> None:
    fields: dict[str, JSON] = {
        "E-Mail": "a",
        "user": {"name": "b", "id": 1},
        "name": "c",
        "list": [{"email": "d"}],
    }
    clean, found = scrub(fields, ["e_mail", "user.name"])
    assert clean == {
        "E-Mail": SCRUBBED,
        "user": {"name": SCRUBBED, "id": 1},
        "name": "c",
        "list": [{"email": SCRUBBED}],
    }
    assert found == ("E-Mail", "user.name", "list.email")
    assert list(clean) == list(fields)


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"

TEXTS = [
    ("Authorization: Bearer abc", "Authorization: [scrubbed]"),
    ("authorization: Basic dXNlcjpw\r\nHost: a", "authorization: [scrubbed]\r\nHost: a"),
    ("curl -H 'Authorization: token x' b", "curl -H 'Authorization: [scrubbed]' b"),
    ('{"Authorization": "Bearer x"}', '{"Authorization": "[scrubbed]"}'),
    ("Cookie: a=b; c=d\nX: y", "Cookie: [scrubbed]\nX: y"),
    ("sent Bearer 0123456789abcdef.x to a", "sent Bearer [scrubbed] to a"),
    ("BEARER  abcdefghijklmnop1", "BEARER [scrubbed]"),
    ("with Basic dXNlcjpwYXNzd29yZA==", "with Basic [scrubbed]"),
    (f"token {JWT} is old", "token [scrubbed] is old"),
    (f'"{JWT}"', '"[scrubbed]"'),
    ("https://ann:hunter2@db.example/x", "https://ann:[scrubbed]@db.example/x"),
    ("redis://:hunter2@cache:6379/0", "redis://:[scrubbed]@cache:6379/0"),
    ("mongodb://u:p%40ss@a,b/c?x=y", "mongodb://u:[scrubbed]@a,b/c?x=y"),
    ("GET /a?token=abc&x=1#y", "GET /a?token=[scrubbed]&x=1#y"),
    ("https://a/?x=1&api_key=abc", "https://a/?x=1&api_key=[scrubbed]"),
    ("user=ann&password=hunter2&x=1", "user=ann&password=[scrubbed]&x=1"),
    ("user=a, password=b,c, x=1", "user=a, password=[scrubbed], x=1"),
    ("password=a(b[c,token=d,e=f", "password=[scrubbed],token=[scrubbed],e=f"),
    ("user[password]=x&user[id]=1", "user[password]=[scrubbed]&user[id]=1"),
    ("user%5Bpassword%5D=x&a", "user%5Bpassword%5D=[scrubbed]&a"),
    ("PGPASSWORD=hunter2 psql", "PGPASSWORD=[scrubbed] psql"),
    ('password="two words" x', 'password="[scrubbed]" x'),
    ("sessionid=abc; theme=dark", "sessionid=[scrubbed]; theme=dark"),
    ('{"password": "a\\"b", "x": 1}', '{"password": "[scrubbed]", "x": 1}'),
    ("{'password': 'it\\'s', 'x': 1}", "{'password': '[scrubbed]', 'x': 1}"),
    (r"{\"password\":\"a b\", \"x\"}", r"{\"password\":\"[scrubbed]\", \"x\"}"),
    ("['password' => 'x', 'a' => 'b']", "['password' => '[scrubbed]', 'a' => 'b']"),
    ('{"pin_secret":12345}', '{"pin_secret":[scrubbed]}'),
    ("card 4111 1111 1111 1111 refused", "card [scrubbed] refused"),
    ("card 4111-1111-1111-1111, refused", "card [scrubbed], refused"),
    ("3782 822463 10005", "[scrubbed]"),
    ("5555555555554444.", "[scrubbed]."),
    ("no=4111111111111111", "no=[scrubbed]"),
    (f"key:\n{PEM}\nend", "key:\n[scrubbed]\nend"),
    (PEM[:50], "[scrubbed]"),
    (f"PRIVATE KEY----- {PEM}{PEM}", "PRIVATE KEY----- [scrubbed][scrubbed]"),
]


@pytest.mark.parametrize(("text", "clean"), TEXTS)
def test_a_secret_in_a_text_goes(text: str, clean: str) -> None:
    assert scrub_text(text) == clean
    assert scrub({"Msg": text}) == ({"Msg": clean}, ("Msg",))
    assert scrub({"a": [{"b": text}]}) == ({"a": [{"b": clean}]}, ("a.b",))
    assert scrub_text(clean) == clean


INNOCENT_TEXTS = [
    "TypeError: x is undefined",
    "Basic authentication failed",
    "basic understanding",
    "Bearer token is missing",
    "bearer authentication-failed",
    "Invalid password: must have 8 characters",
    "Unexpected token = in JSON at position 4",
    "if (token === null) return",
    "token == null",
    "password is required",
    "password=",
    "?token=&x=1",
    "order 1234567890123456 of 4111111111111112",
    "550e8400-e29b-41d4-a716-446655440000",
    "44444444-4444-4444-4444-444444444444",
    "1700000000000 1700000000000000000",
    "0.4111111111111111",
    "4111111111111111.5",
    "x4111111111111111",
    "4111 1111-1111 1111",
    "+49 4111 1111 1111",
    "https://example.com:8080/a@b",
    "see http://a/b:c and mail ann@example.com",
    "eyJ is how a token begins",
    "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "a=1&b=2&c=3",
    '{"user": "ann", "id": 7}',
    "line 12, column 34",
]


@pytest.mark.parametrize("text", INNOCENT_TEXTS)
def test_an_innocent_text_stays(text: str) -> None:
    assert scrub_text(text) is text


def test_a_number_can_be_a_card() -> None:
    assert scrub({"n": 4111111111111111}) == ({"n": SCRUBBED}, ("n",))
    fields: dict[str, JSON] = {"n": 4111111111111112, "t": 1700000000000, "x": -4111111111111111}
    assert scrub(fields)[0] is fields


def test_every_changed_field_is_named_once_and_in_order() -> None:
    fields: dict[str, JSON] = {
        "z": "ok",
        "Msg": ["password=a", "password=b"],
        "headers": {"Cookie": "a", "Host": "b", "": "token=c"},
    }
    clean, found = scrub(fields)
    assert found == ("Msg", "headers.Cookie", "headers.")
    assert clean == {
        "z": "ok",
        "Msg": [f"password={SCRUBBED}"] * 2,
        "headers": {"Cookie": SCRUBBED, "Host": "b", "": f"token={SCRUBBED}"},
    }
    assert fields["headers"] == {"Cookie": "a", "Host": "b", "": "token=c"}


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
PIECES = st.sampled_from(
    [
        *("password=", "token", '":"', "'", '"', "\\", "eyJ", "a.b", "://", "u:p@", "=", "&"),
        *("4111111111111111", "-----BEGIN PRIVATE KEY-----", "-----END", "Bearer ", "Cookie: "),
        *(" ", "\n", "x1"),
    ]
)


@settings(deadline=None)
@given(st.dictionaries(st.text() | st.sampled_from(SECRET_NAMES), VALUES, max_size=4))
def test_scrubbing_again_changes_nothing(fields: dict[str, JSON]) -> None:
    clean, found = scrub(fields)
    assert (clean is fields) == (not found)
    assert scrub(clean)[0] is clean


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_scrubbing_a_text_again_changes_nothing(text: str) -> None:
    clean = scrub_text(text)
    assert scrub_text(clean) == clean


@given(
    before=st.sampled_from(["", " ", "?x=1&", "; ", '{"a": 1, ']),
    secret=st.from_regex(r"[a-zA-Z0-9]{12,20}", fullmatch=True),
)
def test_an_assigned_secret_is_never_left(before: str, secret: str) -> None:
    assert scrub_text(f"{before}password={secret} b") == f"{before}password={SCRUBBED} b"
    quoted = f'{before}"api_key": "{secret}", "b"'
    assert scrub_text(quoted) == quoted.replace(secret, SCRUBBED)


HOSTILE = [
    *("=", "a=", "password=", "token=x&", '"', "\\", '\\"', "'", ":", '":', "a:", "x-", "-", "_"),
    *("eyJ", "eyJa.", "eyJaaaaaa.", "bearer ", "Bearer a", "basic ", "://", "://:", "://a:b", "@"),
    *("://a:@", "1", "1111 ", "1111-", "4", "4 ", "cookie:", "cookie: ", "authorization: a"),
    *("-----BEGIN ", "PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----", "-----END", " ", "a", "."),
    *('password="', 'password="\\', "password='", 'password=\\"', "password= ", "ẞ", "password"),
    *("password=,", "password=a,a", ",a", "password=x,", "password=(", "]=", "%5D"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        timer = timeit.Timer(lambda: scrub_text(text), timer=time.process_time)
        return min(timer.repeat(number=1, repeat=3))

    # Eight times the text: a quadratic scanner would take 64 times as long.
    assert seconds(131_072) < 24 * seconds(16_384) + 0.01


def test_hostile_names_take_linear_time() -> None:
    fields: dict[str, JSON] = {f"{n}" + "pass_" * 200: "a" for n in range(1_000)}
    assert min(timeit.repeat(lambda: scrub(fields), number=1, repeat=1)) < 0.5
