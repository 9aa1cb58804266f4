import { beforeEach, describe, expect, it } from "vitest";
import { Feed } from "../src/feed";
import { times, type ErrorItem, type GapItem } from "../src/item";
import { MAX_ROWS } from "../src/rows";
import { Trends } from "../src/trends";
import { decode, type Frame, type Marker, type Page, type Row, type ServerMessage, type Snapshot } from "../src/wire";

const T0 = 1_731_420_000_000;
let now = T0;
let feed: Feed;

function row(n: number, more: Partial<Row> = {}): Row {
  return {
    id: n.toString(16).padStart(24, "0"), at: T0 + n, issue: `issue-${n % 7}`, level: "error",
    type: "E", title: `error ${n}`, where: "", fields: { n }, ...more,
  };
}

const rows = (from: number, to: number, more: Partial<Row> = {}) =>
  Array.from({ length: to - from }, (_, index) => row(from + index, more));

function message<T extends ServerMessage>(said: Partial<T> & { type: T["type"] }): T {
  return decode(JSON.stringify({ epoch: feed.epoch, ...said })) as T;
}

const snapshot = (errors: Row[], more: Partial<Snapshot> = {}) =>
  feed.apply(message<Snapshot>({ type: "snapshot", errors: errors.toReversed(), cursor: "c0", ...more }), 1_000);

function frame(errors: Row[], more: Partial<Frame> = {}) {
  const counts = { total: errors.length, levels: { error: errors.length }, folded: {} };
  return feed.apply(message<Frame>({ type: "frame", errors, counts, cursor: "c1", ...more }), 1_000);
}

const shown = () => feed.rows.items.map((item) => (item.kind === "error" ? item.row.fields.n : item.kind));
const last = () => feed.rows.items.at(-1) as ErrorItem;

beforeEach(() => {
  now = T0;
  feed = new Feed(() => now);
  feed.restart();
});

describe("the list", () => {
  it("holds the snapshot, then what the frames bring, in the stream's order", () => {
    snapshot(rows(0, 3));
    frame(rows(3, 5));
    expect(shown()).toEqual([0, 1, 2, 3, 4]);
    expect(feed.cursor).toBe("c1");
  });

  it("drops doubles by id", () => {
    snapshot(rows(0, 3));
    frame(rows(2, 4));
    frame(rows(3, 4));
    expect(shown()).toEqual([0, 1, 2, 3]);
    expect(feed.rows.kept).toBe(4);
  });

  it("counts an error once that comes with the snapshot and with a frame", () => {
    const minute = T0 - (T0 % 60_000);
    snapshot(rows(0, 3), { minutes: [[minute, { error: 3 }]] });
    frame(rows(2, 4));
    const counted = feed.bins.bars({ from: T0 - 60_000, to: T0 + 1 }).map(([, levels]) => levels.error ?? 0);
    expect(counted.reduce((all, one) => all + one, 0)).toBe(4);
    expect(feed.total).toBe(1);
  });

  it("changes a row in its place", () => {
    snapshot(rows(0, 3));
    frame([row(1, { title: "changed", change: true })], { counts: { total: 0, levels: {}, folded: {} } });
    expect(shown()).toEqual([0, 1, 2]);
    expect(feed.rows.items.map((item) => item.kind === "error" && item.row.title)).toEqual(["error 0", "changed", "error 2"]);
  });

  it("takes nothing meant for another query", () => {
    snapshot(rows(0, 3));
    const old = message<Frame>({ type: "frame", errors: rows(3, 4), cursor: "c9" });
    feed.restart();
    expect(feed.apply(old, 10)).toBeNull();
    expect(shown()).toEqual([0, 1, 2]);
    snapshot(rows(10, 12));
    expect(shown()).toEqual([10, 11]);
  });

  it("shows what a narrower query keeps of the list before", () => {
    snapshot(rows(0, 5));
    feed.restart();
    snapshot(rows(1, 3));
    expect(shown()).toEqual([1, 2]);
    expect(feed.rows.find(row(1).id)).toBeDefined();
  });

  it("keeps ten thousand rows and forgets the oldest", () => {
    snapshot(rows(0, 200));
    for (let from = 200; from < MAX_ROWS + 700; from += 100) frame(rows(from, from + 100));
    expect(feed.rows.kept).toBe(MAX_ROWS);
    expect(shown()[0]).toBe(700);
    expect(feed.rows.find(row(0).id)).toBeUndefined();
    expect(feed.rows.complete).toBe(false);
  });

  it("keeps within its bytes as the wire counted them", () => {
    snapshot([]);
    const megabyte = 1_048_576;
    for (let n = 0; n < 40; n++) {
      feed.apply(message<Frame>({ type: "frame", errors: [row(n)], cursor: "c" }), megabyte);
    }
    expect(feed.rows.kept).toBe(24);
  });

  it("puts older pages below", () => {
    snapshot(rows(10, 12));
    feed.apply(message({ type: "page", errors: rows(5, 10).toReversed(), complete: true }), 100);
    expect(shown()).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(feed.rows.oldest()).toEqual([T0 + 5, row(5).id]);
    feed.apply(message({ type: "page", errors: [], complete: true }), 100);
    expect(feed.rows.complete).toBe(true);
  });

  it("goes on from where a search stopped in time", () => {
    snapshot([], { reached_at: T0 - 5_000, complete: false });
    expect(feed.rows.oldest()).toEqual([T0 - 5_000, "f".repeat(24)]);
  });
});

describe("pausing", () => {
  beforeEach(() => {
    snapshot(rows(0, 2));
    feed.rows.pause();
    frame(rows(2, 5), { counts: { total: 3, levels: { error: 1, warning: 2 }, folded: {} } });
  });

  it("holds back what comes, and counts it", () => {
    expect(shown()).toEqual([0, 1]);
    expect([feed.rows.waitingCount, feed.rows.waitingSevere]).toEqual([3, 1]);
    expect(feed.rows.kept).toBe(5);
  });

  it("shows it on resuming", () => {
    feed.rows.resume();
    expect(shown()).toEqual([0, 1, 2, 3, 4]);
    expect(feed.rows.waitingCount).toBe(0);
  });

  it("keeps no hole when more came than is kept", () => {
    for (let from = 5; from < MAX_ROWS + 205; from += 100) frame(rows(from, from + 100));
    expect(shown()).toEqual([0, 1]);
    feed.rows.resume();
    expect(feed.rows.kept).toBe(MAX_ROWS);
    expect(shown()[0]).toBe(205);
  });
});

describe("a storm", () => {
  const same = { issue: "storm" };

  it("folds neighbours of one issue into one row", () => {
    snapshot([]);
    frame(rows(0, 200, same));
    frame(rows(200, 300, same));
    const folded = last();
    expect(feed.rows.items.length).toBeLessThan(300);
    expect(folded.row.fields.n).toBe(299);
    expect(feed.rows.kept).toBe(300);
    expect(feed.rows.items.reduce((all, item) => all + times(item as ErrorItem), 0)).toBe(300);
  });

  it("folds nothing while it is calm", () => {
    snapshot([]);
    for (let n = 0; n < 5; n++) {
      now += 1_000;
      frame(rows(n, n + 1, same));
    }
    expect(feed.rows.items).toHaveLength(5);
  });

  it("counts what was not sent onto its issue's row", () => {
    snapshot([]);
    frame([row(0, same)], { counts: { total: 4_213, levels: { error: 4_213 }, folded: { storm: 4_212 } } });
    expect(times(last())).toBe(4_213);
    expect(feed.total).toBe(4_213);
  });

  it("lays folded rows out again", () => {
    snapshot([]);
    frame(rows(0, 150, same));
    frame(rows(150, 153, same));
    const before = feed.rows.kept;
    feed.rows.unfold(last());
    expect(shown().slice(-4)).toEqual([149, 150, 151, 152]);
    expect(feed.rows.kept).toBe(before);
    expect(feed.rows.find(row(150).id)?.row.fields.n).toBe(150);
  });
});

describe("gaps", () => {
  it("are rows, longer while nothing but counts comes", () => {
    snapshot(rows(0, 2));
    const counted = { counts: { total: 40, levels: { error: 40 }, folded: {} }, skipped: 40 };
    frame([], { ...counted, cursor: "c1" });
    frame([], { ...counted, cursor: "c2" });
    frame(rows(100, 101), { cursor: "c3" });
    expect(shown()).toEqual([0, 1, "gap", 100]);
    expect(feed.rows.items[2]).toMatchObject({ from: "c0", to: "c2", count: 80 });
  });

  it("close when they are filled", () => {
    snapshot(rows(0, 2));
    frame(rows(5, 6), { skipped: 3, counts: { total: 4, levels: { error: 4 }, folded: {} } });
    feed.apply(message({ type: "fill", from: "c0", to: "c1", errors: rows(2, 6).toReversed(), complete: true }), 100);
    expect(shown()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("stay when they are filled in part", () => {
    snapshot(rows(0, 2));
    frame(rows(9, 10), { skipped: 7, counts: { total: 8, levels: { error: 8 }, folded: {} } });
    const gap = feed.rows.items[2] as GapItem;
    feed.rows.fill(gap, rows(6, 9).toReversed(), false, 1);
    expect(shown()).toEqual([0, 1, "gap", 6, 7, 8, 9]);
    expect(feed.rows.around(gap).map((each) => each?.fields.n)).toEqual([1, 6]);
    expect(gap.state).toBe("partial");
  });
});

describe("after a reconnect", () => {
  beforeEach(() => {
    snapshot(rows(0, 5));
    feed.rows.pause();
    feed.rows.resume();
  });

  it("what was missed is added", () => {
    expect(snapshot(rows(5, 9), { recovered: true })).toEqual({ kind: "caught-up", count: 4, missed: 0 });
    expect(shown()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("a fresh snapshot that overlaps leaves no gap and no double", () => {
    expect(snapshot(rows(2, 8))).toMatchObject({ kind: "caught-up", count: 3 });
    expect(shown()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("a fresh snapshot that does not overlap leaves a gap", () => {
    expect(snapshot(rows(20, 22), { cursor: "c7" })).toEqual({ kind: "gap" });
    expect(shown()).toEqual([0, 1, 2, 3, 4, "gap", 20, 21]);
    expect(feed.rows.items[5]).toMatchObject({ from: "c0", to: "c7", count: null });
  });

  it("errors that were counted only come to their place by time", () => {
    snapshot([row(0), row(1), row(2, { id: "f".repeat(24), at: T0 + 2 }), row(3), row(4)]);
    expect(feed.rows.items.map((item) => item.kind === "error" && item.row.at - T0)).toEqual([0, 1, 2, 2, 3, 4]);
  });
});

describe("beside errors", () => {
  it("keeps the last ten log messages of an hour", () => {
    const logs = Array.from({ length: 12 }, (_, n) => ({ id: `log-${n}`, at: T0 - 3_600_000 + n * 60_000, text: `${n}` }));
    snapshot([], { logs: logs.slice(0, 8) });
    frame([], { logs: logs.slice(6) });
    expect(feed.livingLogs().map((log) => log.text)).toEqual(["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    now += 6 * 60_000;
    expect(feed.livingLogs()).toHaveLength(5);
  });

  it("adds refusals of one reason together", () => {
    snapshot([]);
    const refused = { reason: "rate-limited", count: 3, at: T0 };
    frame([], { refused: [refused] });
    frame([], { refused: [refused] });
    expect(feed.rows.items).toMatchObject([{ kind: "refused", count: 6 }]);
  });

  it("counts minutes by the server's clock", () => {
    feed.apply(message({ type: "hello", version: "1", server_time: T0 + 3_600_000, viewers: 2 }), 1);
    snapshot([], { minutes: [[T0 + 3_600_000, { error: 5 }]] });
    frame(rows(0, 2));
    const bars = feed.bins.bars({ from: feed.serverNow() - 3_540_000, to: feed.serverNow() + 1 });
    expect(bars.at(-1)?.[1]).toEqual({ error: 7 });
    expect(feed.company.viewers).toBe(2);
  });

  it("counts the newest minutes no lower than it heard of them when they are counted anew", () => {
    const minute = T0 - (T0 % 60_000);
    snapshot([], { minutes: [[minute - 120_000, { error: 9 }], [minute, { error: 3 }]] });
    frame(rows(0, 2));
    feed.bins.renew([[minute - 120_000, { error: 8 }], [minute - 60_000, { error: 1 }], [minute, { error: 4, info: 1 }]], 60_000, T0);
    const bars = feed.bins.bars({ from: minute - 120_000, to: minute + 60_000 });
    expect(bars.map(([, levels]) => levels)).toEqual([{ error: 8 }, { error: 1 }, { error: 5, info: 1 }]);
    feed.bins.renew([[minute, { error: 1 }]], 30_000, T0);
    expect(feed.bins.bars({ from: minute, to: minute + 30_000 })).toEqual([[minute, { error: 1 }]]);
  });

  it("knows the rate of the last seconds", () => {
    snapshot([]);
    for (let n = 0; n < 50; n++) {
      frame(rows(n * 10, n * 10 + 10));
      now += 100;
    }
    expect(feed.rate.perSecond(now)).toBeGreaterThan(85);
    expect(feed.rate.perSecond(now)).toBeLessThan(125);
    now += 20_000;
    expect(feed.rate.perSecond(now)).toBe(0);
  });
});

describe("markers", () => {
  const marker = (id: string, at: number, more: Partial<Marker> = {}): Marker => ({ id, at: T0 + at, text: id, origin: "key", ...more });
  const told = () => feed.rows.items.map((item) => (item.kind === "marker" ? item.marker.id : item.kind === "error" ? item.row.fields.n : item.kind));

  it("stand at their time, as far back as the list reaches", () => {
    snapshot(rows(10, 13), { markers: [marker("c", 99), marker("b", 11), marker("a", 5)], complete: false });
    expect(told()).toEqual([10, 11, "b", 12, "c"]);
    feed.apply(message<Page>({ type: "page", errors: rows(3, 10).toReversed(), complete: true }), 100);
    expect(told()).toEqual([3, 4, 5, "a", 6, 7, 8, 9, 10, 11, "b", 12, "c"]);
  });

  it("come live, once, and go when they are taken back", () => {
    snapshot(rows(0, 1));
    frame([], { markers: [marker("a", 1)] });
    frame(rows(2, 3), { markers: [marker("a", 1)] });
    expect(told()).toEqual([0, "a", 2]);
    frame([], { markers: [marker("a", 1, { removed: true })] });
    expect(told()).toEqual([0, 2]);
    expect(feed.markers.newest).toBeNull();
  });

  it("wait while the list is paused", () => {
    snapshot(rows(0, 1));
    feed.rows.pause();
    frame(rows(1, 2), { markers: [marker("a", 1)] });
    expect(told()).toEqual([0]);
    feed.rows.resume();
    expect(told()).toEqual([0, 1, "a"]);
  });

  it("are no errors: nothing of them is counted, folded or trimmed", () => {
    snapshot(rows(0, 2), { markers: [marker("a", 0)] });
    expect(feed.rows.kept).toBe(2);
    expect(feed.total).toBe(0);
  });
});

describe("trends", () => {
  it("count what frames bring, sent or folded, once", () => {
    feed.trends = new Trends();
    snapshot(rows(0, 1));
    frame([row(0), row(7), row(14, { change: true })], { counts: { total: 5, levels: { error: 5 }, folded: { "issue-0": 3 } } });
    expect(feed.trends.bars("issue-0", now).reduce((all, count) => all + count)).toBe(4);
  });
});
