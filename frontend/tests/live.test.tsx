// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Detail } from "../src/ui/detail";
import type { Boot } from "../src/ui/boot";
import { Live } from "../src/ui/live";
import { Text, Tree, Value } from "../src/ui/value";
import type { Row } from "../src/wire";

const BOOT: Boot = {
  version: "1", base: "/api/v1/stacks/shop", page: "/s/shop", stack: { name: "shop" }, share: null,
  member: { email: "a@b.test" }, readonly: false, wall: false, query: "", snippets: [], submit_url: "http://shop.test/submit", key: "k",
};

class Channel {
  static last: Channel;
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen = () => {};
  onmessage = (_event: { data: string }) => {};
  onclose = (_event: { code: number }) => {};

  constructor(readonly url: string) {
    Channel.last = this;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {}
  says(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

const row = (n: number, more: Partial<Row> = {}): Row => ({
  id: n.toString(16).padStart(24, "0"), at: 1_731_420_000_000 + n, issue: "i".repeat(24), level: "error", type: "TypeError",
  title: `title ${n}`, where: "", fields: { n }, ...more,
});

let live: Live;
let channel: Channel;

function begin(search = ""): void {
  history.replaceState(null, "", `/s/shop${search}`);
  live = new Live(BOOT);
  live.begin();
  channel = Channel.last;
  channel.readyState = 1;
  channel.onopen();
  channel.says({ type: "hello", version: "1", server_time: Date.now(), viewers: 2 });
}

const stamp = (at: number) => new Date(at).toISOString().replace(/[-:]/g, "").replace(".000", "");
const snapshot = (errors: Row[], more = {}) =>
  channel.says({ type: "snapshot", epoch: live.feed.epoch, errors: errors.toReversed(), cursor: "c1", complete: true, ...more });
const shown = () => live.feed.rows.items.length;

beforeEach(() => {
  vi.stubGlobal("WebSocket", Channel);
  vi.stubGlobal("fetch", () => Promise.reject(new Error("offline")));
  localStorage.clear();
  begin();
});

describe("a live view", () => {
  it("starts with the query of the address", () => {
    begin("?q=level%3Aerror");
    expect(channel.url).toContain("/api/v1/stacks/shop/live");
    expect(channel.sent[0]).toMatchObject({ type: "start", query: "level:error" });
  });

  it("comes back with its cursor", () => {
    snapshot([row(1)]);
    vi.useFakeTimers();
    channel.onclose({ code: 1006 });
    live.socket.nudge();
    vi.useRealTimers();
    Channel.last.onopen();
    expect(Channel.last.sent[0]).toMatchObject({ type: "start", since: "c1" });
  });

  it("asks anew for another query, under another epoch, and names it in the address", () => {
    snapshot([row(1)]);
    live.setQuery("level:error");
    expect(channel.sent.at(-1)).toMatchObject({ type: "query", query: "level:error", epoch: 2 });
    expect(location.search).toBe("?q=level%3Aerror");
    snapshot([row(5), row(6)]);
    expect(shown()).toBe(2);
  });

  it("filters the rows that are here at once, before the server answers", async () => {
    snapshot([row(1), row(2, { level: "warning" }), row(3)]);
    live.setQuery("level:warning");
    await vi.waitFor(() => expect(shown()).toBe(1));
    expect(live.feed.rows.kept).toBe(1);
    expect(live.settled.value).toBe(false);
    snapshot([row(2, { level: "warning" }), row(7, { level: "warning" })]);
    expect(shown()).toBe(2);
  });

  it("shows history for a range that has ended, and not what arrives", async () => {
    const past = [row(4), row(3)];
    vi.stubGlobal("fetch", (url: string) => Promise.resolve(new Response(JSON.stringify(url.includes("/errors?") ? { errors: past, complete: true, reached_at: null } : { minutes: [], step_s: 60, complete: true, fields: [], rows: 0 }))));
    snapshot([row(1)]);
    live.setRange({ kind: "between", from: row(3).at, to: row(5).at });
    expect(channel.sent.slice(-2)).toEqual([{ type: "mode", counts_only: true }, { type: "query", query: "", epoch: 2 }]);
    snapshot([row(9)]);
    await vi.waitFor(() => expect(shown()).toBe(2));
    channel.says({ type: "frame", epoch: 2, errors: [], counts: { total: 5, levels: { error: 5 } }, skipped: 5, cursor: "c9", lag_ms: 1 });
    live.scrolled(500);
    expect([shown(), live.isPaused.value, live.feed.total, location.search]).toEqual([2, false, 5, `?from=${stamp(row(3).at)}&to=${stamp(row(5).at)}`]);
    live.setRange({ kind: "any" });
    expect(channel.sent.slice(-2)).toEqual([{ type: "mode", counts_only: false }, { type: "query", query: "", epoch: 3 }]);
    snapshot([row(9)]);
    expect(shown()).toBe(1);
  });

  it("names a mark in the address, moved in its place, and lets it go by escape", () => {
    snapshot([row(1)]);
    const steps = history.length;
    live.setBrush({ from: 60_000, to: 120_000 });
    expect([location.search, history.length]).toEqual([`?brush=${stamp(60_000)}..${stamp(120_000)}`, steps + 1]);
    live.setBrush({ from: 0, to: 120_000 });
    expect([location.search, history.length]).toEqual([`?brush=${stamp(0)}..${stamp(120_000)}`, steps + 1]);
    expect(live.feed.isPast).toBe(true);
    live.escape();
    expect([location.search, live.feed.isPast]).toEqual(["", false]);
  });

  it("counts a chart on until it is whole, and says till then that there is more", async () => {
    const asked: URLSearchParams[] = [];
    const parts = [{ minutes: [[120_000, { error: 2 }]], step_s: 60, complete: false, next: "1,a" }, { minutes: [[60_000, { error: 3 }]], step_s: 60, complete: true, next: null }];
    vi.stubGlobal("fetch", (url: string) => {
      const params = new URL(url, "http://shop.test").searchParams;
      if (!url.includes("/minutes?") || params.get("query") === null) return Promise.resolve(new Response('{"minutes":[],"step_s":60,"complete":true}'));
      asked.push(params);
      return Promise.resolve(new Response(JSON.stringify(parts[asked.length - 1])));
    });
    live.setQuery("level:error");
    live.setRange({ kind: "between", from: 60_000, to: 180_000 });
    asked.length = 0;
    snapshot([]);
    await vi.waitFor(() => expect(asked.length).toBe(2));
    await vi.waitFor(() => expect([live.chart.found, live.chart.isCut.value]).toEqual([5, false]));
    expect([asked[0]!.get("before"), asked[1]!.get("before")]).toEqual([null, "1,a"]);
  });

  it("lets go of what a moving range leaves behind", () => {
    const now = Date.now();
    live.setRange({ kind: "last", ms: 60_000 });
    snapshot([row(1, { at: now - 90_000 }), row(2, { at: now - 30_000 }), row(3, { at: now })]);
    expect([shown(), live.feed.rows.complete]).toEqual([2, true]);
    live.feed.passTime(10_000);
    expect([shown(), live.feed.rows.kept]).toEqual([1, 1]);
  });

  it("says where the server finds a query wrong, and keeps the list", () => {
    snapshot([row(1)]);
    live.setQuery("😀 level:");
    channel.says({ type: "problem", epoch: live.feed.epoch, message: "A value is missing", at: 8 });
    expect(live.problem.value).toEqual({ message: "A value is missing", at: 9 });
    expect(shown()).toBe(1);
  });

  it("pauses when scrolled, when a row opens, by hand; and resumes", () => {
    snapshot([row(1), row(2)]);
    live.scrolled(30);
    expect(live.isPaused.value).toBe(false);
    live.scrolled(41);
    expect(live.isPaused.value).toBe(true);
    channel.says({ type: "frame", epoch: 1, errors: [row(3)], counts: { total: 1, levels: { error: 1 } }, cursor: "c2", lag_ms: 1 });
    expect([shown(), live.feed.rows.waitingCount]).toEqual([2, 1]);
    live.scrolled(0);
    expect([live.isPaused.value, shown()]).toEqual([false, 3]);
    live.togglePause();
    expect(live.isPaused.value).toBe(true);
    live.resume();
    live.reading.open(row(2).id);
    expect(live.isPaused.value).toBe(true);
    live.reading.close();
    expect(live.isPaused.value).toBe(false);
  });

  it("moves by keys without opening, then opens", () => {
    snapshot([row(1), row(2), row(3)]);
    live.move(1);
    expect([live.at.value, live.selected.value]).toEqual([row(3).id, null]);
    live.move(1);
    live.reading.enter();
    expect(live.selected.value).toBe(row(2).id);
    expect(location.search).toBe(`?error=${row(2).id}`);
    live.move(1);
    expect(live.selected.value).toBe(row(1).id);
    live.escape();
    expect(live.selected.value).toBeNull();
  });

  it("asks for older errors once, until they come", () => {
    snapshot(Array.from({ length: 200 }, (_, n) => row(n)));
    live.connection.more();
    live.connection.more();
    expect(channel.sent.filter((message) => message.type === "more")).toEqual([
      { type: "more", before: [row(0).at, row(0).id], epoch: 1 },
    ]);
  });

  it("ends for good when its session does", () => {
    channel.onclose({ code: 4401 });
    expect(live.link.value).toMatchObject({ phase: "ended", code: 4401 });
  });
});

describe("what strangers wrote", () => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202e"\'';
  let root: HTMLElement;
  beforeEach(() => {
    root = document.createElement("div");
    document.body.replaceChildren(root);
  });
  const drawn = (what: preact.ComponentChild) => act(() => render(what, root));
  const innocent = () => {
    expect(root.querySelectorAll("img, script, iframe, style")).toHaveLength(0);
    for (const { attributes } of root.querySelectorAll("*")) {
      for (const { name, value } of attributes) expect(`${name}=${value}`).not.toMatch(/^on|\u202e|^style=/);
    }
    expect(root.textContent).not.toContain("\u202e");
  };

  it("stays text in every part of the panel", async () => {
    const nasty = row(1, {
      type: evil, title: evil, where: evil, scrubbed: [evil],
      fields: { [evil]: evil, stack: `Error: ${evil}\n    at ${evil} (http://x/${evil}:1:2)`, nested: { [evil]: [evil, { a: evil }] }, url: "javascript:alert(1)" },
      before: [{ id: "l", at: 1, text: evil }, { id: "m", at: 2, fields: { [evil]: evil } }],
    });
    snapshot([nasty]);
    live.reading.open(nasty.id);
    live.reading.whole.value = nasty;
    for (const tab of ["trace", "fields", "json", "before"] as const) {
      live.setTab(tab);
      await drawn(<Detail live={live} />);
      innocent();
      expect([...root.querySelectorAll("a")].map((a) => a.getAttribute("href"))).toEqual([`/s/shop/e/${nasty.id}`]);
    }
  });

  it("links only what is nothing but an http address, and tells the other site nothing", async () => {
    await drawn(<Value value="https://shop.test/a" />);
    const [a] = root.querySelectorAll("a");
    expect([a!.getAttribute("href"), a!.rel]).toEqual(["https://shop.test/a", "noopener noreferrer"]);
    await drawn(<Value value="javascript:alert(1)" />);
    expect(root.querySelectorAll("a")).toHaveLength(0);
  });

  it("is cut when it is long, with the rest on demand", async () => {
    await drawn(<Value value={"x".repeat(5_000)} />);
    expect(root.textContent!.length).toBeLessThan(2_100);
    await act(() => root.querySelector<HTMLElement>("button")!.click());
    expect(root.textContent).toBe("x".repeat(5_000));
  });

  it("names direction and control characters", async () => {
    await drawn(<Text text={"a\u202eb\u0000"} />);
    expect(root.textContent).toBe("aU+202EbU+0000");
  });

  it("is a tree of any shape", async () => {
    await drawn(<Tree value={{ a: [1, null, true, { b: evil }], "": {}, c: 10n ** 20n }} />);
    innocent();
    expect(root.textContent).toContain("100000000000000000000");
  });
});

