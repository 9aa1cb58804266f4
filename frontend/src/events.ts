/**
 * The live wire where no websocket gets through: what the server says comes as events, what the
 * page says is in the address of that stream, or asked beside it. The same messages all the same.
 */

import type { Channel } from "./socket";
import type { ClientMessage } from "./wire";

const CUT_OFF = 1006;
const CLOSED = 3;

/** `url` is the websocket's address, by http. */
export class EventChannel implements Channel {
  onopen: Channel["onopen"] = null;
  onmessage: Channel["onmessage"] = null;
  onclose: Channel["onclose"] = null;
  readyState = 0;

  private source: EventSource | null = null;
  private readonly view = new URLSearchParams();
  private cursor = "";
  private isGreeted = false;

  constructor(private readonly url: string) {
    queueMicrotask(() => {
      if (this.readyState === CLOSED) return;
      this.readyState = 1;
      this.onopen?.({} as never);
    });
  }

  send(text: string): void {
    const message = JSON.parse(text) as ClientMessage;
    if (message.type === "start" || message.type === "query") {
      const { type: _, ...asked } = message;
      this.view.delete("since"); // a query begins anew
      for (const [name, value] of Object.entries(asked)) this.view.set(name, String(value));
      this.stream();
    } else if (message.type === "mode") {
      this.view.set("counts_only", String(message.counts_only));
      if (this.cursor) this.view.set("since", this.cursor);
      this.stream();
    } else if (message.type === "traps") {
      this.view.set("traps", JSON.stringify(message.traps));
      if (this.cursor) this.view.set("since", this.cursor);
      this.stream();
    } else {
      void this.ask(message);
    }
  }

  close(): void {
    this.readyState = CLOSED;
    this.source?.close();
  }

  private stream(): void {
    this.source?.close();
    this.source = new EventSource(`${this.url}?${this.view}`);
    this.source.onmessage = ({ data }: MessageEvent<string>) => this.heard(data);
    this.source.onerror = () => this.ended(CUT_OFF); // coming back is the socket's to decide
  }

  private heard(text: string): void {
    const message = JSON.parse(text) as { type: string; cursor?: string; code?: number };
    if (message.cursor) this.cursor = message.cursor;
    if (message.type === "hello" && this.isGreeted) return;
    this.isGreeted ||= message.type === "hello";
    this.onmessage?.({ data: text });
    if (message.type === "bye") this.ended(message.code ?? CUT_OFF);
  }

  private async ask(message: ClientMessage): Promise<void> {
    try {
      const body = JSON.stringify({ ask: message, query: this.view.get("query") ?? "" });
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(this.url, { method: "POST", headers, body });
      if (!response.ok) throw new Error(String(response.status));
      const text = await response.text();
      if (this.readyState === 1) this.onmessage?.({ data: text });
    } catch {
      this.ended(CUT_OFF);
    }
  }

  private ended(code: number): void {
    if (this.readyState === CLOSED) return;
    this.close();
    this.onclose?.({ code });
  }
}
