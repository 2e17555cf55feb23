/** Lets a screen answer keys while it is shown; the newest screen that knows an action gets it. */
import { useEffect, useRef } from "react";

import { belongsToFocus, KeyReader, type Action } from "./keymap";

export type Handlers = Partial<Record<Action, () => void>>;

const layers: { current: Handlers }[] = [];
const reader = new KeyReader();
let dialogs = 0;

function onKeyDown(event: KeyboardEvent) {
  // A dialog takes the focus a moment after it opens; until then its state must keep the keys out.
  if (dialogs > 0 || event.defaultPrevented || belongsToFocus(event.target, event.key)) return;
  const action = reader.read(event, performance.now());
  if (action === null) return;
  for (const layer of layers.toReversed()) {
    const handle = layer.current[action];
    if (handle) {
      event.preventDefault();
      handle();
      return;
    }
  }
}

/** Keys mean nothing to the screens while a dialog is open. */
export function useKeysOff(opened: boolean): void {
  useEffect(() => {
    if (!opened) return;
    dialogs += 1;
    return () => {
      dialogs -= 1;
    };
  }, [opened]);
}

export function useKeys(handlers: Handlers): void {
  const layer = useRef(handlers);
  useEffect(() => {
    layer.current = handlers;
  });
  useEffect(() => {
    if (layers.length === 0) window.addEventListener("keydown", onKeyDown);
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length === 0) window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}
