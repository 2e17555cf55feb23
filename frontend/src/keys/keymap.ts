/** Which key does what: one table, and the pure functions that read it. Knows nothing of screens. */

export type Action =
  | "keep"
  | "remove"
  | "unsure"
  | "accept"
  | "relabel"
  | "clear"
  | "undo"
  | "redo"
  | "next"
  | "previous"
  | "down"
  | "up"
  | "zoom"
  | "select"
  | "close"
  | "filter"
  | "help"
  | "goHome"
  | "goAudit"
  | "goFlags"
  | "goLoss"
  | "goMap"
  | "goExport"
  | `likely${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;

export interface Binding {
  action: Action;
  /** As `KeyboardEvent.key`, lower case; "g m" is one after the other. */
  keys: string[];
  shown: string[];
  label: string;
  group: "Decide" | "Move" | "Go to";
}

export const BINDINGS: readonly Binding[] = [
  bind("keep", ["k"], ["K"], "Keep the given label", "Decide"),
  bind("accept", ["enter"], ["Enter"], "Accept the suggested label", "Decide"),
  bind("remove", ["x"], ["X"], "Remove from the cleaned labels", "Decide"),
  bind("unsure", ["u"], ["U"], "Unsure: decide later", "Decide"),
  bind("relabel", ["l"], ["L"], "Relabel: type a class", "Decide"),
  ...([1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((n) =>
    bind(`likely${n}`, [String(n)], [String(n)], `Relabel to the ${ordinal(n)} likely class`, "Decide"),
  ),
  bind("clear", ["c"], ["C"], "Clear the decision", "Decide"),
  bind("undo", ["z"], ["Z"], "Undo", "Decide"),
  bind("redo", ["shift+z"], ["Shift", "Z"], "Redo", "Decide"),
  bind("next", ["j", "arrowright"], ["J", "→"], "Next sample", "Move"),
  bind("previous", ["h", "arrowleft"], ["H", "←"], "Previous sample", "Move"),
  bind("down", ["arrowdown"], ["↓"], "One row down", "Move"),
  bind("up", ["arrowup"], ["↑"], "One row up", "Move"),
  bind("zoom", ["space"], ["Space"], "Open, then zoom", "Move"),
  bind("select", ["s"], ["S"], "Select or unselect", "Move"),
  bind("close", ["escape"], ["Esc"], "Close, clear the selection", "Move"),
  bind("filter", ["/"], ["/"], "Filter", "Move"),
  bind("goHome", ["g h"], ["G", "H"], "Home", "Go to"),
  bind("goAudit", ["g a"], ["G", "A"], "The audit", "Go to"),
  bind("goFlags", ["g f"], ["G", "F"], "Flags", "Go to"),
  bind("goLoss", ["g l"], ["G", "L"], "Loss", "Go to"),
  bind("goMap", ["g m"], ["G", "M"], "Map", "Go to"),
  bind("goExport", ["g e"], ["G", "E"], "Export", "Go to"),
  bind("help", ["?"], ["?"], "Show the keys", "Go to"),
];

/** How long after G the second key still counts, in milliseconds. */
export const SEQUENCE_MS = 1200;

const BY_KEY = new Map(BINDINGS.flatMap((binding) => binding.keys.map((key) => [key, binding.action])));
const FIRST_OF_SEQUENCE = new Set([...BY_KEY.keys()].filter((key) => key.includes(" ")).map((key) => key[0]));

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Reads key presses one after the other and answers the action that each completes, if any. */
export class KeyReader {
  private first: { key: string; at: number } | null = null;

  /** `now` in milliseconds. A key with Ctrl, Alt or Cmd belongs to the browser. */
  read(pressed: Pressed, now: number): Action | null {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
    const key = nameOf(pressed);
    const { first } = this;
    this.first = null;
    if (first && now - first.at <= SEQUENCE_MS) {
      const action = BY_KEY.get(`${first.key} ${key}`);
      if (action) return action;
    }
    if (FIRST_OF_SEQUENCE.has(key)) {
      this.first = { key, at: now };
      return null;
    }
    return BY_KEY.get(key) ?? null;
  }
}

function nameOf({ key, shiftKey }: Pressed): string {
  if (key === " ") return "space";
  const name = key.toLowerCase();
  // "?" and "/" come with Shift on some keyboards: only letters and named keys carry it.
  return shiftKey && /^[a-z]/.test(name) ? `shift+${name}` : name;
}

/** Whether a key press belongs to what has the focus: a field, a button, a menu, a dialog. */
export function belongsToFocus(target: EventTarget | null, key: string): boolean {
  if (typeof Element === "undefined" || !(target instanceof Element)) return false;
  const inside = (selector: string) => target.closest(selector) !== null;
  if (inside("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]"))
    return true;
  if (inside("[role=dialog], [role=listbox], [role=menu]")) return true;
  if (inside("[role=slider], [role=radiogroup]") && key.startsWith("Arrow")) return true;
  if (inside("input[type=radio]") && key.startsWith("Arrow")) return true;
  // Enter and Space press what has the focus.
  return (
    (key === "Enter" || key === " ") && inside("a[href], button, input, summary, [role=button], [role=tab]")
  );
}

function bind(
  action: Action,
  keys: string[],
  shown: string[],
  label: string,
  group: Binding["group"],
): Binding {
  return { action, keys, shown, label, group };
}

function ordinal(n: number): string {
  if (n === 1) return "most";
  return `${n}${n === 2 ? "nd" : n === 3 ? "rd" : "th"} most`;
}
