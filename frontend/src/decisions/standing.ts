/** What stands for a sample, how it changes, and how a history of changes reads as undo and redo. Pure. */
import type { Verdict } from "./words";

/** A verdict, and the label when it is a relabelling. Null: nothing. */
export type Standing = { verdict: Verdict; label: number | null } | null;

export interface Change {
  index: number;
  before: Standing;
  after: Standing;
}

export interface Entry {
  /** The server records an entry once, however often it is sent. */
  key: string;
  runId: string | null;
  changes: Change[];
}

export interface History {
  undo: Entry[];
  redo: Entry[];
}

export function sameStanding(a: Standing, b: Standing): boolean {
  return a?.verdict === b?.verdict && (a?.label ?? null) === (b?.label ?? null);
}

export const inverse = (changes: readonly Change[]): Change[] =>
  changes.map(({ index, before, after }) => ({ index, before: after, after: before }));

/**
 * The stacks that a recorded history stands for, oldest entry first.
 *
 * An undo is recorded like any decision: as the entry that reverses the one before. Read back it must not become
 * something to undo itself.
 */
export function historyOf(recorded: readonly Entry[]): History {
  const undo: Entry[] = [];
  let redo: Entry[] = [];
  for (const entry of joined(recorded)) {
    const last = undo.at(-1);
    const undone = redo.at(-1);
    if (last && sameChanges(entry.changes, inverse(last.changes))) {
      undo.pop();
      redo.push(last);
    } else if (undone && sameChanges(entry.changes, undone.changes)) {
      redo.pop();
      undo.push(undone);
    } else {
      undo.push(entry);
      redo = [];
    }
  }
  return { undo, redo };
}

/** The newest entries that together hold at most so many changes, and are at most so many. */
export function newest(entries: readonly Entry[], most: { entries: number; changes: number }): Entry[] {
  const kept: Entry[] = [];
  let changes = 0;
  for (const entry of entries.toReversed()) {
    changes += entry.changes.length;
    if (kept.length === most.entries || changes > most.changes) break;
    kept.unshift(entry);
  }
  return kept;
}

/** A large entry travels in parts, "key" and then "key-5000": one decision again. */
function joined(recorded: readonly Entry[]): Entry[] {
  const whole: Entry[] = [];
  for (const entry of recorded) {
    const last = whole.at(-1);
    const part =
      last && entry.key.startsWith(`${last.key}-`) && /^\d+$/.test(entry.key.slice(last.key.length + 1));
    if (part) whole[whole.length - 1] = { ...last, changes: [...last.changes, ...entry.changes] };
    else whole.push(entry);
  }
  return whole;
}

function sameChanges(a: readonly Change[], b: readonly Change[]): boolean {
  if (a.length !== b.length) return false;
  const of = new Map(b.map((change) => [change.index, change]));
  return a.every(({ index, before, after }) => {
    const other = of.get(index);
    return other !== undefined && sameStanding(other.before, before) && sameStanding(other.after, after);
  });
}
