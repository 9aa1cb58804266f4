import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventChannel } from "../src/events";

class FakeSource {
  static all: FakeSource[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  isClosed = false;

  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }
  close(): void {
    this.isClosed = true;
  }
  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  get asked(): Record<string, string> {
    return Object.fromEntries(new URL(this.url).searchParams);
  }
}

const source = () => FakeSource.all.at(-1)!;
let channel: EventChannel;
let heard: { type: string }[];
let codes: number[];
let answer: { ok: boolean; text: () => Promise<string> };
const fetched = vi.fn((_url: string, _init: { body: string }) => Promise.resolve(answer));

beforeEach(async () => {
  vi.stubGlobal("EventSource", FakeSource);
  vi.stubGlobal("fetch", fetched);
  fetched.mockClear();
  FakeSource.all = [];
  heard = [];
  codes = [];
  channel = new EventChannel("http://here/api/live");
  channel.onmessage = (event) => heard.push(JSON.parse(String(event.data)) as { type: string });
  channel.onclose = ({ code }) => codes.push(code);
  const opened = new Promise<void>((resolve) => (channel.onopen = () => resolve()));
  await opened;
  channel.send(JSON.stringify({ type: "start", query: "a b", epoch: 3, limit: 200, since: "c1" }));
});
afterEach(() => vi.unstubAllGlobals());

describe("the wire as events", () => {
  it("starts with what the page said, in the stream's address", () => {
    expect(source().asked).toEqual({ query: "a b", epoch: "3", limit: "200", since: "c1" });
    source().says({ type: "hello" });
    source().says({ type: "snapshot", cursor: "c2" });
    expect(heard.map(({ type }) => type)).toEqual(["hello", "snapshot"]);
  });

  it("opens another stream for another query, which begins anew and does not greet again", () => {
    source().says({ type: "hello" });
    source().says({ type: "snapshot", cursor: "c2" });
    const [first] = FakeSource.all;
    channel.send(JSON.stringify({ type: "query", query: "level:error", epoch: 4 }));
    expect(first!.isClosed).toBe(true);
    expect(source().asked).toEqual({ query: "level:error", epoch: "4", limit: "200" });
    source().says({ type: "hello" });
    expect(heard).toHaveLength(2);
  });

  it("goes on where it was when the page is hidden, and shown again", () => {
    source().says({ type: "frame", cursor: "c9" });
    channel.send(JSON.stringify({ type: "mode", counts_only: true }));
    expect(source().asked).toMatchObject({ counts_only: "true", since: "c9", query: "a b" });
    channel.send(JSON.stringify({ type: "mode", counts_only: false }));
    expect(source().asked).toMatchObject({ counts_only: "false" });
  });

  it("sets traps in the stream's address, and goes on where it was", () => {
    source().says({ type: "frame", cursor: "c9" });
    channel.send(JSON.stringify({ type: "traps", traps: [{ id: "t", query: "a" }] }));
    expect(source().asked).toMatchObject({ traps: '[{"id":"t","query":"a"}]', since: "c9", query: "a b" });
    channel.send(JSON.stringify({ type: "query", query: "b", epoch: 4 }));
    expect(source().asked).toMatchObject({ traps: '[{"id":"t","query":"a"}]', query: "b" });
    expect(fetched).not.toHaveBeenCalled();
  });

  it("asks beside the stream, and hears the answer as any message", async () => {
    answer = { ok: true, text: () => Promise.resolve('{"type":"page","epoch":3}') };
    const more = { type: "more", before: [5, "a".repeat(24)], epoch: 3 };
    channel.send(JSON.stringify(more));
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(JSON.parse(fetched.mock.calls[0]![1].body)).toEqual({ ask: more, query: "a b" });
    expect(FakeSource.all).toHaveLength(1);
  });

  it("ends with the code of the farewell", () => {
    source().says({ type: "bye", code: 4403, retry_s: 0 });
    expect(codes).toEqual([4403]);
    expect(source().isClosed).toBe(true);
  });

  it("ends once when it is cut off, and does not come back by itself", () => {
    source().onerror?.();
    source().onerror?.();
    expect(codes).toEqual([1006]);
    expect(source().isClosed).toBe(true);
  });

  it("ends when what it asked is refused", async () => {
    answer = { ok: false, text: () => Promise.resolve("") };
    channel.send(JSON.stringify({ type: "ping", at: 1 }));
    await vi.waitFor(() => expect(codes).toEqual([1006]));
  });

  it("says nothing once it is left", () => {
    channel.close();
    source().onerror?.();
    expect(codes).toEqual([]);
  });
});
