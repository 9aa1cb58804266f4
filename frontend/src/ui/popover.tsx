/** A button with something that opens below it: closed by escape, by a click elsewhere, by leaving it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PopoverProps {
  className?: string;
  label?: string;
  button: ComponentChildren;
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ className = "btn", label, button, children }: PopoverProps) {
  const isOpen = useSignal(false);
  const box = useRef<HTMLSpanElement>(null);
  const close = () => {
    if (!isOpen.value) return;
    isOpen.value = false;
    box.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    const elsewhere = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) isOpen.value = false;
    };
    addEventListener("pointerdown", elsewhere);
    return () => removeEventListener("pointerdown", elsewhere);
  }, [isOpen]);
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen.value) return;
    event.stopPropagation();
    close();
  };
  const left = (event: FocusEvent) => {
    const to = event.relatedTarget as Node | null;
    if (to && !box.current?.contains(to)) isOpen.value = false;
  };
  return (
    <span class="opens" ref={box} onKeyDown={key} onFocusOut={left}>
      <button class={className} aria-expanded={isOpen.value} aria-label={label} title={label} onClick={() => (isOpen.value = !isOpen.value)}>
        {button}
      </button>
      {isOpen.value && children(close)}
    </span>
  );
}
