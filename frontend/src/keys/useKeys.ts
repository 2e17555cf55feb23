/** Lets a screen answer keys while it is shown; the newest screen that knows an action gets it. */
import { useLayoutEffect, useRef } from "react";

import type { Action } from "./bindings";
import { keyChoices, onKeyChoices } from "./choices";
import { belongsToFocus } from "./focus";
import { keymapOf, KeyReader } from "./keymap";

export type Handlers = Partial<Record<Action, () => void>>;

const layers: { current: Handlers }[] = [];
const reader = new KeyReader(keymapOf(keyChoices()));
let dialogs = 0;
let pressedInDialog = false;

onKeyChoices(() => reader.use(keymapOf(keyChoices())));

/** Before anybody answers the key: a dialog that closes at Escape is closed when the screen's turn comes. */
function onKeyComing() {
  pressedInDialog = dialogs > 0;
}

function onKeyDown(event: KeyboardEvent) {
  // A dialog takes the focus a moment after it opens; until then its state must keep the keys out.
  if (pressedInDialog || event.defaultPrevented) return;
  // A combination with Ctrl is never text, and reaches its action from inside a field too.
  const typed = !event.ctrlKey && !event.metaKey;
  if (typed && belongsToFocus(event.target, event.key)) return;
  const action = reader.read(event, performance.now());
  if (action !== null && perform(action)) event.preventDefault();
}

/** Do what the newest screen that knows the action does; answers whether one does. */
export function perform(action: Action): boolean {
  const handle = layers.toReversed().find((layer) => layer.current[action])?.current[action];
  handle?.();
  return handle !== undefined;
}

/** What can be done on the screens that are shown now. */
export function available(): ReadonlySet<Action> {
  return new Set(layers.flatMap(({ current }) => Object.keys(current) as Action[]));
}

/** Keys mean nothing to the screens while a dialog is open. */
export function useKeysOff(opened: boolean): void {
  useLayoutEffect(() => {
    if (!opened) return;
    dialogs += 1;
    return () => {
      dialogs -= 1;
    };
  }, [opened]);
}

/** In layout effects: a key pressed right after the screen has changed must meet the screen that one sees. */
export function useKeys(handlers: Handlers): void {
  const layer = useRef(handlers);
  useLayoutEffect(() => {
    layer.current = handlers;
  });
  useLayoutEffect(() => {
    if (layers.length === 0) {
      window.addEventListener("keydown", onKeyComing, { capture: true });
      window.addEventListener("keydown", onKeyDown);
    }
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      if (layers.length > 0) return;
      window.removeEventListener("keydown", onKeyComing, { capture: true });
      window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}
