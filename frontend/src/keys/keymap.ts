/** Which key does what, once its user's choices are laid over the table. Pure; knows nothing of screens. */
import { BINDINGS, type Action, type Binding } from "./bindings";

/** What a user chose; what is left out stays as the table has it. */
export interface KeyChoices {
  /** Off: only arrows, Escape and combinations with Ctrl mean anything. */
  on: boolean;
  keys: Partial<Record<Action, string>>;
}

export const DEFAULT_CHOICES: KeyChoices = { on: true, keys: {} };

/** How long after G the second key still counts, in milliseconds. */
export const SEQUENCE_MS = 1200;

export interface Keymap {
  single: ReadonlyMap<string, Action>;
  led: ReadonlyMap<string, Action>;
  lead: string | null;
}

export const keyOf = (binding: Binding, choices: KeyChoices): string | null =>
  binding.key === null ? null : (choices.keys[binding.action] ?? binding.key);

export function keymapOf(choices: KeyChoices): Keymap {
  const single = new Map<string, Action>();
  const led = new Map<string, Action>();
  for (const binding of BINDINGS) {
    for (const key of binding.fixed) single.set(key, binding.action);
    const key = keyOf(binding, choices);
    if (!choices.on || key === null) continue;
    if (binding.led) led.set(key, binding.action);
    else single.set(key, binding.action);
  }
  const lead = BINDINGS.find(({ action }) => action === "lead");
  return { single, led, lead: choices.on && lead ? keyOf(lead, choices) : null };
}

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Reads key presses one after the other and answers the action that each completes, if any. */
export class KeyReader {
  private ledSince: number | null = null;

  constructor(private map: Keymap = keymapOf(DEFAULT_CHOICES)) {}

  use(map: Keymap) {
    this.map = map;
    this.ledSince = null;
  }

  /** `now` in milliseconds. A key with Ctrl, Alt or Cmd belongs to the browser, unless the table names it. */
  read(pressed: Pressed, now: number): Action | null {
    const key = nameOf(pressed);
    if (key === null) return null;
    const { ledSince } = this;
    this.ledSince = null;
    if (ledSince !== null && now - ledSince <= SEQUENCE_MS) {
      const action = this.map.led.get(key);
      if (action) return action;
    }
    if (key === this.map.lead) {
      this.ledSince = now;
      return null;
    }
    return this.map.single.get(key) ?? null;
  }
}

/** The name under which the table has a key press; null for what belongs to the browser or the system. */
export function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }: Pressed): string | null {
  if (altKey) return null;
  const name = key === " " ? "space" : key.toLowerCase();
  if (ctrlKey || metaKey) return `mod+${name}`;
  // "?" and "/" come with Shift on some keyboards: only letters and named keys carry it.
  return shiftKey && /^[a-z]/.test(name) ? `shift+${name}` : name;
}

const OF_THE_BROWSER: ReadonlySet<string> = new Set([
  "tab",
  "shift+tab",
  "backspace",
  "delete",
  "contextmenu",
]);
const MODIFIERS: ReadonlySet<string> = new Set(["shift", "control", "alt", "meta", "altgraph", "capslock"]);

/** Whether a press is only a modifier, after which the key itself is still to come. */
export const isModifier = ({ key }: Pressed): boolean => MODIFIERS.has(key.toLowerCase());

/** Why `action` cannot have the pressed key, in words; null when it can. */
export function refusal(action: Action, pressed: Pressed, choices: KeyChoices): string | null {
  const key = nameOf(pressed);
  if (key === null || key.startsWith("mod+"))
    return "Keys with Ctrl, Alt or Cmd belong to the browser. Choose a key by itself, or with Shift.";
  if (OF_THE_BROWSER.has(key) || /^(shift\+)?(f\d+|page|home|end|insert|dead|process|unidentified)/.test(key))
    return `${shownKey(key).join(" ")} belongs to the browser. Choose another key.`;
  const fixed = BINDINGS.find((binding) => binding.fixed.includes(key));
  if (fixed) return `${shownKey(key).join(" ")} always means “${fixed.label}”. Choose another key.`;
  const led = BINDINGS.find((binding) => binding.action === action)?.led ?? false;
  const holder = BINDINGS.find(
    (binding) => binding.action !== action && binding.led === led && keyOf(binding, choices) === key,
  );
  return holder ? `${shownKey(key).join(" ")} is taken by “${holder.label}”. Change that one first.` : null;
}

const NAMES: Record<string, string> = {
  enter: "Enter",
  space: "Space",
  escape: "Esc",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  shift: "Shift",
  mod: "Ctrl",
};

/** A key as it is written on keyboards: "shift+z" is Shift, Z. */
export function shownKey(key: string): string[] {
  const parts = key === "+" ? ["+"] : key.split("+").map((part) => part || "+");
  return parts.map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : capital(part)));
}

/** Every way to do an action, each as the keys to press one after or with another. */
export function shownKeys(binding: Binding, choices: KeyChoices): string[][] {
  const key = choices.on ? keyOf(binding, choices) : null;
  const lead = BINDINGS.find(({ action }) => action === "lead");
  const before = binding.led && lead ? shownKey(keyOf(lead, choices) ?? "") : [];
  return [...(key === null ? [] : [[...before, ...shownKey(key)]]), ...binding.fixed.map(shownKey)];
}

/** Choices as they were kept; anything that makes no sense any more is left out. */
export function readChoices(text: string | null): KeyChoices {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "null");
  } catch {
    return DEFAULT_CHOICES;
  }
  if (typeof kept !== "object" || kept === null) return DEFAULT_CHOICES;
  const { on, keys } = kept as { on?: unknown; keys?: unknown };
  const given = typeof keys === "object" && keys !== null ? (keys as Record<string, unknown>) : {};
  const chosen: KeyChoices = { on: on !== false, keys: {} };
  for (const { action, key } of BINDINGS) {
    const own = given[action];
    if (key !== null && typeof own === "string" && own !== key) chosen.keys[action] = own;
  }
  return chosen;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
