/** Parts of the page whose code comes later: when they are first drawn, or ahead in an idle moment. */

import { signal } from "@preact/signals";
import type { ComponentType, VNode } from "preact";

export interface LazyPart<P> {
  (props: P): VNode | null;
  /** Fetch the code now, so that drawing it will not wait. */
  ahead(): void;
}

/** A part that `load` brings; until then it draws nothing. A load that failed is tried again when drawn anew. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): LazyPart<P> {
  const part = signal<{ Drawn: ComponentType<P> } | null>(null);
  let isAsked = false;
  const ahead = () => {
    if (isAsked) return;
    isAsked = true;
    load().then(
      (Drawn) => (part.value = { Drawn }),
      () => (isAsked = false),
    );
  };
  const Part = (props: P) => {
    if (!part.value) ahead();
    return part.value && <part.value.Drawn {...props} />;
  };
  return Object.assign(Part, { ahead });
}

/** When the browser has nothing better to do. */
export function whenIdle(act: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 5_000 });
  else setTimeout(act, 1_000);
}
