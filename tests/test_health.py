"""Health, readiness and metrics of a running server."""

import httpx
import pytest
from fixtures_server import Server, serving

from errorstack_live import __version__
from errorstack_live.storage.mongo import Store


async def test_alive_and_ready(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok", "version": __version__}
    ready = await http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "database": "ok", "feed": "ok", "space": "ok"}


async def test_not_ready_without_space(store: Store) -> None:
    async with (
        serving(store, min_free_bytes=1 << 60) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        ready = await http.get("/readyz")
        refused = await http.get("/submit", params={"_s": server.key, "_r": "json", "Msg": "x"})
    assert ready.status_code == 503
    assert ready.json()["space"] == "disk nearly full"
    assert refused.status_code == 503
    assert refused.json()["success"] is False
    assert int(refused.headers["retry-after"]) >= 1


async def test_metrics_count_what_happened(server: Server, http: httpx.AsyncClient) -> None:
    await http.get("/submit", params={"_s": server.key, "Msg": "x"})
    text = (await http.get("/metrics")).text
    for name in (
        'errorstack_submissions_total{kind="error",outcome="accepted"}',
        "errorstack_batch_documents_count",
        "errorstack_batch_seconds_count",
        "errorstack_viewers",
        "errorstack_feed_lag_seconds",
        "errorstack_frames_sent_total",
        "errorstack_frames_dropped_total",
    ):
        assert f"\n{name} " in text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_metrics_are_not_for_those_behind_a_proxy(
    http: httpx.AsyncClient, header: str
) -> None:
    assert (await http.get("/metrics", headers={header: "198.51.100.7"})).status_code == 403


async def test_metrics_with_a_token(store: Store) -> None:
    async with (
        serving(store, metrics_token="open-sesame") as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        assert (await http.get("/metrics")).status_code == 403
        wrong = {"Authorization": "Bearer wrong"}
        assert (await http.get("/metrics", headers=wrong)).status_code == 403
        right = {"Authorization": "Bearer open-sesame", "X-Forwarded-For": "198.51.100.7"}
        assert (await http.get("/metrics", headers=right)).status_code == 200


async def test_the_ingest_role_answers_its_failures_in_json(store: Store) -> None:
    async with (
        serving(store, role="ingest") as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        refused = await http.get("/metrics", headers={"Via": "proxy"})
        absent = await http.get("/login")
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    assert absent.status_code == 404
