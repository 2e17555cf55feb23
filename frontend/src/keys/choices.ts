/** The keys that this browser's user chose: kept in local storage, the same in all its tabs. */
import { useMemo, useSyncExternalStore } from "react";

import { BINDINGS, type Action } from "./bindings";
import { DEFAULT_CHOICES, readChoices, shownKeys, type KeyChoices } from "./keymap";

const STORED_AS = "noise-audit.keys";
const listeners = new Set<() => void>();
let current = readChoices(stored());

function stored(): string | null {
  return typeof localStorage === "undefined" ? null : localStorage.getItem(STORED_AS);
}

function change(next: KeyChoices) {
  current = next;
  localStorage.setItem(STORED_AS, JSON.stringify(next));
  for (const listener of listeners) listener();
}

if (typeof window !== "undefined") {
  window.addEventListener("storage", ({ key }) => {
    if (key !== STORED_AS && key !== null) return;
    current = readChoices(stored());
    for (const listener of listeners) listener();
  });
}

export const keyChoices = () => current;

export function onKeyChoices(listener: () => void) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export const chooseKey = (action: Action, key: string) =>
  change(readChoices(JSON.stringify({ ...current, keys: { ...current.keys, [action]: key } })));
export const switchKeys = (on: boolean) => change({ ...current, on });
export const resetKeys = () => change({ ...DEFAULT_CHOICES, on: current.on });

export const useKeyChoices = () => useSyncExternalStore(onKeyChoices, keyChoices);

/** The first way to do an action as keys to press; null where it has none now. */
export function useKeyOf(action: Action): string[] | null {
  const choices = useKeyChoices();
  return useMemo(() => {
    const binding = BINDINGS.find((one) => one.action === action);
    return (binding && shownKeys(binding, choices)[0]) ?? null;
  }, [action, choices]);
}
