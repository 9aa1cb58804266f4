/** Traps at work in this tab: asked of the server, and rung for, once in all tabs of this browser. */

import { signal } from "@preact/signals";
import { Chime } from "../chime";
import { NEWS, TrapBook, type Alarm, type Trap } from "../traps";
import type { ServerMessage } from "../wire";
import type { Live } from "./live";
import type { Trapping } from "./trapping";

/** Another tab that springs the same trap within this time is not believed. */
const HELD_MS = 3_000;

export class Alarms {
  /** Counts up with every change: who draws the traps reads it. */
  readonly changed = signal(0);
  readonly book: TrapBook;
  private readonly chime = new Chime();
  /** The server has said what came since each trap matched last: silence is silence. */
  private isWhole = false;

  constructor(
    private readonly live: Live,
    private readonly trapping: Trapping,
  ) {
    const { storedAs } = trapping;
    this.book = new TrapBook({
      read: () => localStorage.getItem(storedAs),
      write: (text) => localStorage.setItem(storedAs, text),
    });
    addEventListener("storage", ({ key }) => key === storedAs && this.reload());
    addEventListener("visibilitychange", () => document.hidden || this.looked());
    addEventListener("focus", () => this.looked());
    setInterval(() => this.beat(), 1_000);
    this.told();
    this.ask();
  }

  set(trap: Omit<Trap, "id" | "setAt" | "lastAt">): boolean {
    const now = Math.round(this.live.feed.serverNow());
    const isSet = this.book.add({ ...trap, id: crypto.randomUUID?.() ?? `${now}-${Math.random()}`.slice(0, 36), setAt: now, lastAt: now });
    this.update();
    return isSet;
  }

  remove(id: string): void {
    this.book.remove(id);
    this.update();
  }

  choose(change: { news?: boolean; sound?: boolean }): void {
    this.book.choose(change);
    if (change.sound) this.chime.ring(); // it may sound from now on, and this is how
    this.update();
  }

  /** Ask the browser for leave to notify: only when someone sets something that needs it. */
  async allow(): Promise<NotificationPermission | "unsupported"> {
    if (!("Notification" in window)) return "unsupported";
    const given = Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
    this.changed.value++;
    return given;
  }

  heard(message: ServerMessage): void {
    if (message.type === "hello") this.ask();
    if (message.type === "traps") this.isWhole = true;
    if (message.type === "trap" && message.message) this.live.say(message.message, true);
    if (message.type === "trap") {
      const alarm = this.book.heard(message, Date.now());
      if (alarm) void this.spring(alarm);
    }
    this.beat(); // timers of a hidden tab are slow, messages are not
  }

  /** Ring for what has been quiet long enough, while the stream is whole. */
  private beat(): void {
    if (this.live.link.value.phase !== "live") this.isWhole = false;
    if (!this.isWhole) return;
    for (const alarm of this.book.quiet(this.live.feed.serverNow())) void this.spring(alarm);
  }

  /** One tab rings, though all of them hear. */
  private async spring(alarm: Alarm): Promise<void> {
    const ring = () => {
      if (alarm.id !== NEWS && !this.book.take(alarm.id)) return false;
      this.update();
      this.ring(alarm);
      return true;
    };
    if (!("locks" in navigator)) return void ring();
    await navigator.locks.request(`${this.trapping.storedAs} ${alarm.id}`, { ifAvailable: true }, async (lock) => {
      if (lock && ring()) await new Promise((done) => setTimeout(done, HELD_MS));
    });
  }

  private ring({ id, title, text, error }: Alarm): void {
    this.live.say(`${title} · ${text}`);
    if (this.book.sound) this.chime.ring();
    if (document.hidden || !document.hasFocus()) {
      this.trapping.rung.value = true;
      this.live.badge.ring(title);
    }
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const icon = this.live.badge.icon("alarm");
      const shown = new Notification(title, { body: text, tag: `${this.trapping.storedAs} ${id}`, icon });
      shown.onclick = () => {
        window.focus();
        if (error) this.live.reading.open(error);
        shown.close();
      };
    } catch {
      // Phones show notifications only from a worker: the toast, the sound and the title have to do.
    }
  }

  private looked(): void {
    this.trapping.rung.value = false;
    this.live.badge.ring("");
  }

  private reload(): void {
    this.book.load();
    this.told();
    this.ask();
  }

  private update(): void {
    this.told();
    this.ask();
  }

  private ask(): void {
    this.isWhole = false;
    this.live.socket.send({ type: "traps", traps: this.book.asked() });
  }

  private told(): void {
    this.changed.value++;
    this.trapping.armed.value = this.book.traps.length + (this.book.news ? 1 : 0);
  }
}
