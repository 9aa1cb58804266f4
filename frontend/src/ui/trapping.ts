/** Where traps meet the page: nothing is loaded for them until there is one, or someone asks. */

import { signal } from "@preact/signals";
import type { ServerMessage } from "../wire";
import type { Alarms } from "./alarms";
import type { Live } from "./live";

export class Trapping {
  /** Traps that are set, for the bell. */
  readonly armed = signal(0);
  /** One sprang, and nobody has looked since. */
  readonly rung = signal(false);
  readonly storedAs: string;
  private alarms: Alarms | null = null;
  private loading: Promise<Alarms> | null = null;

  constructor(private readonly live: Live) {
    this.storedAs = `traps:${live.boot.page}`;
  }

  begin(): void {
    const look = () => void (this.isKept && this.open());
    addEventListener("storage", look); // set in another tab
    look();
  }

  private get isKept(): boolean {
    try {
      return localStorage.getItem(this.storedAs) !== null;
    } catch {
      return false; // a browser that keeps nothing
    }
  }

  /** What there is to set and remove traps with. */
  open(): Promise<Alarms> {
    this.loading ??= import("./alarms").then(({ Alarms }) => (this.alarms = new Alarms(this.live, this)));
    return this.loading;
  }

  heard(message: ServerMessage): void {
    this.alarms?.heard(message);
  }
}
