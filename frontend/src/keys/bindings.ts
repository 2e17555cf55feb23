/** Every action that a key can do, with the key it has unless its user chose another. A table, no behaviour. */

export type Action =
  | "keep"
  | "accept"
  | "remove"
  | "unsure"
  | "relabel"
  | "clear"
  | "undo"
  | "redo"
  | "next"
  | "previous"
  | "down"
  | "up"
  | "zoom"
  | "neighbours"
  | "close"
  | "filter"
  | "select"
  | "selectTo"
  | "selectAll"
  | "palette"
  | "help"
  | "lead"
  | "goHome"
  | "goAudit"
  | "goFlags"
  | "goLoss"
  | "goMap"
  | "goClasses"
  | "goCompare"
  | "goSignOff"
  | "goExport"
  | `likely${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;

export type Group = "Decide" | "Select" | "Move" | "Go to";

/** A key is named as `KeyboardEvent.key` in lower case; "shift+z" with Shift, "mod+k" with Ctrl or Cmd. */
export interface Binding {
  action: Action;
  /** The key its user may change; null where there is only a fixed one. */
  key: string | null;
  /** Keys that always do this too. */
  fixed: readonly string[];
  /** Whether the key counts only after the leading key (G). */
  led: boolean;
  label: string;
  group: Group;
}

export const BINDINGS: readonly Binding[] = [
  bind("keep", "k", "Keep the given label", "Decide"),
  bind("accept", "enter", "Accept the suggested label", "Decide"),
  bind("remove", "x", "Remove from the cleaned labels", "Decide"),
  bind("unsure", "u", "Unsure: decide later", "Decide"),
  bind("relabel", "l", "Relabel: type a class", "Decide"),
  ...([1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((n) =>
    bind(`likely${n}`, String(n), `Relabel to the ${ordinal(n)} likely class`, "Decide"),
  ),
  bind("clear", "c", "Clear the decision", "Decide"),
  bind("undo", "z", "Undo", "Decide"),
  bind("redo", "shift+z", "Redo", "Decide"),
  bind("next", "j", "Next sample", "Move", ["arrowright"]),
  bind("previous", "h", "Previous sample", "Move", ["arrowleft"]),
  bind("down", null, "One row down", "Move", ["arrowdown"]),
  bind("up", null, "One row up", "Move", ["arrowup"]),
  bind("zoom", "space", "Open, then zoom", "Move"),
  bind("neighbours", "n", "To the nearest samples", "Move"),
  bind("filter", "/", "Filter", "Move"),
  bind("close", null, "Close, clear the selection", "Move", ["escape"]),
  bind("select", "s", "Select or unselect", "Select"),
  bind("selectTo", "shift+s", "Select up to here", "Select"),
  bind("selectAll", "a", "Select all that match", "Select"),
  bind("palette", null, "Search screens, datasets, actions", "Go to", ["mod+k"]),
  bind("help", "?", "Show the keys", "Go to"),
  bind("lead", "g", "Go to: then one of these", "Go to"),
  go("goHome", "h", "Home"),
  go("goAudit", "a", "The audit"),
  go("goFlags", "f", "Flags"),
  go("goLoss", "l", "Loss"),
  go("goMap", "m", "Map"),
  go("goClasses", "c", "Classes"),
  go("goCompare", "o", "Compare runs"),
  go("goSignOff", "s", "Sign-off"),
  go("goExport", "e", "Export"),
];

function bind(
  action: Action,
  key: string | null,
  label: string,
  group: Group,
  fixed: readonly string[] = [],
): Binding {
  return { action, key, fixed, led: false, label, group };
}

function go(action: Action, key: string, label: string): Binding {
  return { action, key, fixed: [], led: true, label, group: "Go to" };
}

function ordinal(n: number): string {
  if (n === 1) return "most";
  return `${n}${n === 2 ? "nd" : n === 3 ? "rd" : "th"} most`;
}
