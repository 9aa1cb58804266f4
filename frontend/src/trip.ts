/**
 * The test error's way, measured: sent through the public door as any sender does, stored, and
 * seen again on this page's live socket.
 */

import { whyNotStored, whyNotStreamed, type Outcome } from "./diagnosis";
import type { Waiting } from "./waiting";
import type { Row } from "./wire";

const ANSWER_MS = 8_000;
const STREAM_MS = 5_000;
const HEALTH_MS = 3_000;

type Step = "received" | "stored" | "streamed";

export class Trip {
  /** When each error was seen, by id: it may be streamed before its answer is read. */
  private readonly seenAt = new Map<string, number>();
  private whenSeen: (() => void) | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly waiting: Waiting,
  ) {}

  begin(): void {
    this.waiting.heard = (row) => this.saw(row);
    const form = this.box.querySelector<HTMLFormElement>("form[action$='/test']");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.run(form.querySelector("button")!);
    });
  }

  private saw(row: Row): void {
    this.seenAt.set(row.id, performance.now());
    this.whenSeen?.();
  }

  private async run(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    this.seenAt.clear();
    this.clear();
    try {
      await this.travel();
    } finally {
      button.disabled = false;
    }
  }

  private async travel(): Promise<void> {
    const sentAt = performance.now();
    this.mark("received", "going");
    const { outcome, id, storeMs } = await this.send();
    const answeredMs = performance.now() - sentAt;
    const why = whyNotStored(outcome, { ...this.addresses(), isAnswering: outcome.kind !== "failed" || (await isAnswering()) });
    if (why) return this.fail(outcome.kind === "answer" && outcome.status !== 404 ? "stored" : "received", why);
    if (storeMs === null) this.mark("received", "done", "and");
    else this.mark("received", "done", `${ms(answeredMs - storeMs)} on the way, there and back`);
    this.mark("stored", "done", storeMs === null ? `${ms(answeredMs)} together, with the way back` : `${ms(storeMs)} until it was on disk`);
    this.mark("streamed", "going");
    const seenAt = await this.seen(id);
    if (seenAt === null) return this.fail("streamed", whyNotStreamed(this.waiting.how !== "asking"));
    const how = this.waiting.how === "websocket" ? "on this page" : `on this page, by ${this.waiting.how}`;
    this.mark("streamed", "done", `${ms(seenAt - sentAt)} after the click it was ${how}`);
  }

  private async send(): Promise<{ outcome: Outcome; id: string; storeMs: number | null }> {
    const body = new URLSearchParams({
      _s: this.box.dataset.key!,
      _r: "json",
      Msg: "This is a test error",
      level: "info",
      sent_by: "the set-up page",
      page: location.pathname,
    });
    const lost = (kind: "redirect" | "timeout" | "failed") => ({ outcome: { kind } as Outcome, id: "", storeMs: null });
    try {
      const answer = await fetch(this.box.dataset.submit!, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        credentials: "omit",
        redirect: "manual",
        cache: "no-store",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      if (answer.type === "opaqueredirect") return lost("redirect");
      const said = (await answer.json().catch(() => ({}))) as { success?: boolean; id?: string; errorMsg?: string };
      const outcome: Outcome = {
        kind: "answer",
        status: answer.status,
        success: said.success === true,
        message: said.errorMsg ?? "",
        retryAfterS: Number(answer.headers.get("Retry-After")) || 0,
      };
      return { outcome, id: said.id ?? "", storeMs: storeMs(answer.headers.get("Server-Timing")) };
    } catch (error) {
      return lost((error as Error).name === "TimeoutError" ? "timeout" : "failed");
    }
  }

  /** When the error of this id is seen; null when it is not in time. */
  private async seen(id: string): Promise<number | null> {
    const until = performance.now() + STREAM_MS;
    while (!this.seenAt.has(id) && performance.now() < until) {
      await new Promise<void>((resolve) => {
        this.whenSeen = resolve;
        setTimeout(resolve, until - performance.now());
      });
    }
    return this.seenAt.get(id) ?? null;
  }

  private addresses(): { page: string; submit: string; alias: string } {
    return { page: location.href, submit: this.box.dataset.submit!, alias: this.box.dataset.alias ?? "" };
  }

  private clear(): void {
    document.getElementById("trip")!.hidden = false;
    document.getElementById("wrong")!.hidden = true;
    for (const step of ["received", "stored", "streamed"] as const) this.mark(step, "");
  }

  private mark(step: Step, state: "" | "going" | "done" | "failed", text = ""): void {
    const item = document.querySelector<HTMLElement>(`#trip [data-step="${step}"]`)!;
    item.dataset.state = state;
    item.lastElementChild!.textContent = text;
  }

  private fail(step: Step, why: string): void {
    this.mark(step, "failed");
    const wrong = document.getElementById("wrong")!;
    wrong.textContent = why;
    wrong.hidden = false;
  }
}

/** The time that the server says storing took, in milliseconds. */
export function storeMs(timing: string | null): number | null {
  const found = /(?:^|,)\s*store;dur=([\d.]+)/.exec(timing ?? "");
  return found ? Number(found[1]) : null;
}

function ms(duration: number): string {
  const most = Math.max(0, duration);
  return `${most < 10 ? most.toFixed(1) : Math.round(most)} ms`;
}

async function isAnswering(): Promise<boolean> {
  try {
    return (await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(HEALTH_MS) })).ok;
  } catch {
    return false;
  }
}
