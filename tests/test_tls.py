"""https beside http: one server, two ports, nothing redirected, the same stream on both."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from serving import Command, Served, run, served


@dataclass(frozen=True, slots=True)
class Secure:
    """A server with https, and a client's trust in it."""

    server: Served
    authority: Path
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        return str(self.server.ready["tls_url"])


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    trust = ssl.create_default_context(cafile=folder / "authority.pem")
    options = ("--certfile", str(folder / "cert.pem"), "--keyfile", str(folder / "key.pem"))
    with served(folder / "data", "--tls-port", "0", *options) as server:
        yield Secure(server, folder / "authority.pem", trust)


@pytest.mark.parametrize("http2", [False, True])
def test_https_takes_submissions(secure: Secure, *, http2: bool) -> None:
    with httpx.Client(verify=secure.trust, http2=http2) as client:
        data = {"_s": secure.server.key, "_r": "json", "Msg": "over https"}
        response = client.post(f"{secure.url}/submit", data=data)
    assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert response.json()["success"] is True


@pytest.mark.parametrize("path", ["/submit", "/submit/", "/log", "/beacon.js", "/docs/api"])
def test_http_is_served_and_redirected_nowhere(secure: Secure, path: str) -> None:
    params = {"_s": secure.server.key, "Msg": "over http"}
    assert httpx.get(secure.server.url + path, params=params).status_code == 200


def test_cookies_over_https_are_for_https_alone(secure: Secure) -> None:
    form = {"email": "kim@example.com", "password": "correct horse"}
    token = secure.server.ready["setup_url"].partition("token=")[2]
    with httpx.Client(verify=secure.trust, base_url=secure.url) as client:
        page = client.get("/setup", params={"token": token}).text
        form_token = page.partition('name="form_token" value="')[2].partition('"')[0]
        response = client.post(
            "/setup",
            data={**form, "token": token, "form_token": form_token},
            headers={"Origin": secure.url},
        )
    cookies = response.headers.get_list("set-cookie")
    assert response.status_code in {302, 303}
    assert any("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)


def test_a_share_link_is_followed_over_https(secure: Secure) -> None:
    made = run("share", "create", "first", "--json", data_dir=secure.server.data_dir)
    link = json.loads(made.stdout)["url"].replace(secure.server.url, secure.url)
    with Command("tail", link, "--json", SSL_CERT_FILE=str(secure.authority)) as command:
        assert command.json(1) == [{"kind": "live"}]
        secure.server.submit(Msg="sent over http")
        assert command.json(1)[0]["title"] == "sent over http"


def test_a_failed_handshake_harms_nobody(secure: Secure) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{secure.url}/healthz")
    assert httpx.get(f"{secure.url}/healthz", verify=secure.trust).status_code == 200
