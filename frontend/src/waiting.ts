/**
 * Listens for a stack's errors as the live view does, by a websocket or else by events; and asks
 * again and again where neither gets through.
 */

import { ago } from "./ago";
import { EventChannel } from "./events";
import { Socket, type Channel, type SocketState, type Way } from "./socket";
import { plain } from "./text";
import type { Row, ServerMessage } from "./wire";

const ASK_MS = 2_000;
const LISTENING: { [how in Way | "asking"]: string } = {
  websocket: "Listening: this page turns by itself the moment something arrives.",
  events: "No websocket gets through from here, so this page listens by events, which do. A proxy in front should pass websockets on.",
  asking: "Neither a websocket nor events get through from here, so this page asks every 2 s. A proxy in front holds them back.",
};

export class Waiting {
  /** Told of every error that comes, once. */
  heard: (row: Row) => void = () => {};
  private readonly socket: Socket;
  private seen: string;
  private isLive = false;
  private way: Way = "websocket";
  private timer = 0;

  constructor(private readonly box: HTMLElement) {
    this.seen = box.dataset.seen ?? "";
    const address = `${location.origin}${box.dataset.base}/live`;
    this.socket = new Socket(
      {
        start: () => ({ type: "start", query: "", epoch: 0, limit: 1 }),
        message: (message) => this.take(message),
        state: (state) => this.linked(state),
      },
      {
        open: (way) => {
          this.way = way;
          return way === "events" ? new EventChannel(address) : (new WebSocket(address.replace(/^http/, "ws")) as Channel);
        },
        now: () => Date.now(),
        random: () => Math.random(),
        after: (ms, call) => {
          const id = setTimeout(call, ms);
          return () => clearTimeout(id);
        },
      },
    );
  }

  /** How errors come here now. */
  get how(): Way | "asking" {
    return this.isLive ? this.way : "asking";
  }

  begin(): void {
    this.socket.open();
    addEventListener("online", () => this.socket.nudge());
  }

  private take(message: ServerMessage): void {
    if (message.type === "snapshot") this.all(message.errors.slice(0, 1));
    else if (message.type === "frame") this.all(message.errors);
  }

  /** Errors as they came; the one that is known from the page is no news. */
  private all(rows: readonly Row[]): void {
    for (const row of rows) {
      if (row.id === this.seen) continue;
      this.seen = row.id;
      this.heard(row);
      this.show(row);
    }
  }

  private linked(state: SocketState): void {
    this.isLive = state.phase === "live";
    this.box.classList.toggle("live", this.isLive);
    if (this.isLive) {
      clearInterval(this.timer);
      this.timer = 0;
    } else if (state.phase !== "connecting" && !this.timer) {
      this.timer = window.setInterval(() => void this.ask(), ASK_MS);
    }
    if (this.seen) return;
    this.say("Waiting for the first error", this.timer ? LISTENING.asking : LISTENING[this.way]);
  }

  private async ask(): Promise<void> {
    try {
      const answer = await fetch(`${this.box.dataset.base}/errors?limit=1`);
      if (answer.ok) this.all(((await answer.json()) as { errors: Row[] }).errors);
    } catch {
      // The network is away; the next time may do.
    }
  }

  private say(title: string, more: string): void {
    const heading = document.getElementById("state")!;
    if (heading.textContent !== title) heading.textContent = title;
    document.getElementById("state-more")!.textContent = more;
  }

  private show(row: Row): void {
    this.box.classList.add("has");
    this.say("It arrived", "Everything that is sent from now on shows in the live view, too.");
    const watch = document.getElementById("watch")!;
    watch.hidden = false;
    watch.classList.add("p");
    this.box.querySelector("form .btn")?.classList.remove("p");
    const place = document.getElementById("arrived")!;
    const line = document.createElement("a");
    line.className = `row l-${row.level}`;
    line.href = `${this.box.dataset.page}/e/${row.id}`;
    line.append(part("lv", row.level), part("ms u", plain(row.title)), moment(row.at));
    place.prepend(line);
    while (place.children.length > 5) place.lastElementChild!.remove();
    place.hidden = false;
  }
}

function part(className: string, text = ""): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  element.dir = "auto";
  element.textContent = text;
  return element;
}

function moment(at: number): HTMLTimeElement {
  const time = document.createElement("time");
  time.dateTime = new Date(at).toISOString();
  time.dataset.ago = "";
  time.textContent = ago(at, Date.now());
  return time;
}
