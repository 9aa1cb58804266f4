/** A dialog over everything: it closes by its button, by escape and by a click beside it. */

import "../styles/dialog.css";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";
import type { Live } from "./live";

export function Modal({ live, title, children }: { live: Live; title: string; children: preact.ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => (live.dialog.value = null);
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <header>
        <h2>{title}</h2>
        <button class="btn q" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
