import { beforeEach, describe, expect, it } from "vitest";
import {
  backoffMs,
  LONGEST_WAIT_MS,
  PING_MS,
  SILENCE_MS,
  Socket,
  WEBSOCKET_AGAIN_MS,
  type Channel,
  type SocketState,
  type Way,
} from "../src/socket";
import type { ServerMessage } from "../src/wire";

class FakeChannel implements Channel {
  onopen: Channel["onopen"] = null;
  onmessage: Channel["onmessage"] = null;
  onclose: Channel["onclose"] = null;
  readyState = 0;
  sent: { type: string }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }
  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  ends(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** A clock that runs timers when told to. */
class World {
  now = 1_000;
  channels: FakeChannel[] = [];
  ways: Way[] = [];
  timers: { at: number; call: () => void }[] = [];
  states: SocketState[] = [];
  heard: ServerMessage[] = [];
  socket = new Socket(
    {
      start: () => ({ type: "start", query: "", epoch: 1, limit: 200 }),
      message: (message) => this.heard.push(message),
      state: (state) => this.states.push(state),
    },
    {
      open: (way) => {
        this.ways.push(way);
        return this.channels[this.channels.push(new FakeChannel()) - 1]!;
      },
      now: () => this.now,
      random: () => 0.5,
      after: (ms, call) => {
        const timer = { at: this.now + ms, call };
        this.timers.push(timer);
        return () => void (this.timers = this.timers.filter((each) => each !== timer));
      },
    },
  );

  get channel(): FakeChannel {
    return this.channels.at(-1)!;
  }
  get state(): SocketState {
    return this.states.at(-1)!;
  }
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.now = next.at;
      next.call();
    }
    this.now = until;
  }
  greet(): void {
    this.channel.opens();
    this.channel.says({ type: "hello", version: "1", server_time: 0, viewers: 1 });
  }
}

let world: World;
beforeEach(() => {
  world = new World();
  world.socket.open();
});

describe("a connection", () => {
  it("starts with the listener's first message and lives from the greeting on", () => {
    world.greet();
    expect(world.channel.sent[0]).toEqual({ type: "start", query: "", epoch: 1, limit: 200 });
    expect(world.state.phase).toBe("live");
  });

  it("sends nothing before it lives", () => {
    expect(world.socket.send({ type: "mode", counts_only: true })).toBe(false);
    world.greet();
    expect(world.socket.send({ type: "mode", counts_only: true })).toBe(true);
  });

  it("comes back after a close, and starts anew", () => {
    world.greet();
    world.channel.ends(1006);
    expect(world.state).toMatchObject({ phase: "waiting", code: 1006 });
    world.pass(world.state.retryAt - world.now);
    expect(world.channels).toHaveLength(2);
    world.greet();
    expect(world.state.phase).toBe("live");
  });

  it("waits as long as the server asks, spread by half", () => {
    world.greet();
    world.channel.says({ type: "bye", code: 1012, retry_s: 10 });
    world.channel.ends(1012);
    expect(world.state.retryAt - world.now).toBe(10_000);
  });

  it.each([4401, 4403])("ends for good with %i", (code) => {
    world.greet();
    world.channel.ends(code);
    world.pass(60_000);
    expect(world.state).toMatchObject({ phase: "ended", code });
    expect(world.channels).toHaveLength(1);
  });

  it("comes back at once when nudged", () => {
    world.channel.ends(1006);
    world.socket.nudge();
    expect(world.channels).toHaveLength(2);
  });

  it("is given up after a silence, however it looks", () => {
    world.greet();
    world.pass(SILENCE_MS * 2);
    expect(world.states.some((state) => state.phase === "waiting")).toBe(true);
    expect(world.channels.length).toBeGreaterThan(1);
  });

  it("is kept while heartbeats come", () => {
    world.greet();
    for (let beat = 0; beat < 20; beat++) {
      world.pass(5_000);
      world.channel.says({ type: "frame", epoch: 1, cursor: "c", lag_ms: 0 });
    }
    expect(world.channels).toHaveLength(1);
  });

  it("measures the round trip by its pings, the shortest of the last few", () => {
    world.greet();
    world.pass(2_000);
    for (const trip of [40, 8, 30]) {
      const ping = { type: "ping", at: world.now } as const;
      world.socket.send(ping);
      world.pass(trip);
      world.channel.says({ type: "pong", at: ping.at });
    }
    expect(world.socket.roundTripMs).toBe(8);
  });

  it("hears nothing from a channel it has left", () => {
    const [old] = world.channels;
    old!.ends(1006);
    world.socket.nudge();
    old!.says({ type: "presence", viewers: 9 });
    expect(world.heard).toEqual([]);
  });

  it("stays closed once closed", () => {
    world.greet();
    world.socket.close();
    world.pass(60_000);
    expect(world.state.phase).toBe("ended");
    expect(world.channels).toHaveLength(1);
  });
});

describe("where no websocket gets through", () => {
  const refuse = () => {
    world.channel.ends(1006);
    world.socket.nudge();
  };
  const wait = () => {
    world.channel.ends(1006);
    world.pass(world.state.retryAt - world.now);
  };

  it("takes events after the second refusal", () => {
    wait();
    expect(world.ways).toEqual(["websocket", "websocket"]);
    wait();
    expect(world.ways.at(-1)).toBe("events");
    world.greet();
    expect(world.state.phase).toBe("live");
    expect(world.channel.sent[0]?.type).toBe("start");
  });

  it("takes turns while neither gets through: the server may be away", () => {
    for (let turn = 0; turn < 6; turn++) wait();
    expect(world.ways.slice(2)).toEqual(["events", "websocket", "events", "websocket", "events"]);
  });

  it("takes a handshake that hangs for a refusal", () => {
    world.pass(PING_MS + LONGEST_WAIT_MS);
    expect(world.ways.length).toBeGreaterThan(1);
  });

  it("comes back by events, with a websocket in between", () => {
    wait();
    wait();
    world.greet();
    wait();
    expect(world.ways.at(-1)).toBe("websocket");
    wait();
    expect(world.ways.at(-1)).toBe("events");
  });

  it("goes back to a websocket as soon as one greets, and leaves the events", () => {
    wait();
    wait();
    const events = world.channel;
    world.greet();
    const beat = () => events.says({ type: "frame", epoch: 1, cursor: "c", lag_ms: 0 });
    const until = world.now + WEBSOCKET_AGAIN_MS + PING_MS;
    while (world.now < until) {
      world.pass(5_000);
      beat();
    }
    const probe = world.channel;
    expect(world.ways.at(-1)).toBe("websocket");
    expect(probe.sent).toEqual([]); // it has not asked for anything
    expect(events.readyState).toBe(1);
    probe.says({ type: "hello", version: "1", server_time: 0, viewers: 1 });
    expect([events.readyState, probe.readyState]).toEqual([3, 3]);
    expect(world.ways.at(-1)).toBe("websocket");
    world.greet();
    expect(world.state.phase).toBe("live");
    world.channel.ends(1006);
    world.socket.nudge();
    expect(world.ways.at(-1)).toBe("websocket");
  });

  it("keeps the events when the websocket is still refused", () => {
    wait();
    wait();
    const events = world.channel;
    world.greet();
    const live = (ms: number) => {
      for (const until = world.now + ms; world.now < until; ) {
        world.pass(5_000);
        events.says({ type: "frame", epoch: 1, cursor: "c", lag_ms: 0 });
      }
    };
    live(WEBSOCKET_AGAIN_MS + 5_000);
    const tried = world.channels.length;
    world.channel.ends(1006);
    expect(world.state.phase).toBe("live");
    live(WEBSOCKET_AGAIN_MS + 5_000);
    expect(world.channels.length).toBe(tried + 1);
    expect(world.state.phase).toBe("live");
  });

  it("does not take events for a connection that lived", () => {
    world.greet();
    refuse();
    world.greet();
    refuse();
    expect(world.ways).toEqual(["websocket", "websocket", "websocket"]);
  });
});

describe("backoff", () => {
  it.each([
    [0, 0, 200],
    [0, 1, 400],
    [3, 1, 3_200],
    [30, 1, LONGEST_WAIT_MS],
    [30, 0, LONGEST_WAIT_MS / 2],
  ])("of try %i with %d is %i ms", (attempt, random, ms) => {
    expect(backoffMs(attempt, random)).toBe(ms);
  });
});
