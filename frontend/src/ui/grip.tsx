/** The edge of the panel: dragged or moved by arrow keys to make it wider; the width is kept. */

import { prefer, prefs } from "./prefs";

const NARROWEST_PX = 340;
const STEP_PX = 32;

export function Grip() {
  const width = () => document.querySelector(".det")?.getBoundingClientRect().width ?? NARROWEST_PX;
  const set = (px: number) => prefer({ panelPx: Math.round(Math.max(NARROWEST_PX, Math.min(px, innerWidth * 0.7))) });
  const down = (event: PointerEvent) => {
    const grip = event.currentTarget as HTMLElement;
    grip.setPointerCapture(event.pointerId);
    const move = ({ clientX }: PointerEvent) => set(innerWidth - clientX);
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
    event.preventDefault();
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (!by) return;
    set(width() + by);
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="grip"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={prefs.value.panelPx ?? Math.round(width())}
      aria-valuemin={NARROWEST_PX}
      aria-valuemax={Math.round(innerWidth * 0.7)}
      tabIndex={0}
      onPointerDown={down}
      onDblClick={() => prefer({ panelPx: null })}
      onKeyDown={key}
    />
  );
}
