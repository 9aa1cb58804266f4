/** What the first paint of the live view does without: dialogs, panels and menus, in a few chunks. */

import { lazily, whenIdle } from "./lazy";

export const ColumnMenu = lazily(async () => (await import("./menus")).ColumnMenu);
export const Company = lazily(async () => (await import("./company")).Company);
export const Completion = lazily(async () => (await import("./menus")).Completion);
export const Detail = lazily(async () => (await import("./detail")).Detail);
export const Empty = lazily(async () => (await import("./empty")).Empty);
export const Facets = lazily(async () => (await import("./menus")).Facets);
export const Help = lazily(async () => (await import("./dialogs")).Help);
export const Issues = lazily(async () => (await import("./issues")).Issues);
export const MarkDialog = lazily(async () => (await import("./dialogs")).MarkDialog);
export const Pins = lazily(async () => (await import("./pins")).Pins);
export const PrefsMenu = lazily(async () => (await import("./menus")).PrefsMenu);
export const RangeMenu = lazily(async () => (await import("./menus")).RangeMenu);
export const ShareDialog = lazily(async () => (await import("./dialogs")).ShareDialog);
export const TrapsDialog = lazily(async () => (await import("./dialogs")).TrapsDialog);
export const Wall = lazily(async () => (await import("./wall")).Wall);

/** Bring what a click is likely to want next, so that it need not wait. */
export function bringAhead(): void {
  whenIdle(() => {
    [Detail, Issues].forEach((part) => part.ahead());
    void import("../query/passing").catch(() => {}); // then the server filters alone
  });
}
