/**
 * The decisions of one dataset in this tab: shown at once, sent in order, undone by sending what stood before.
 *
 * Knows nothing of React or HTTP; `send` and the storage come in as arguments.
 */
import type { Verdict } from "./verdicts";

/** What stands for a sample: a verdict, and the label when it is a relabelling. Null: nothing. */
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

/** Refused by the server for good (as against: not reached). */
export class Refused extends Error {}

export interface Kept {
  read(): string | null;
  write(text: string): void;
}

export interface QueueState {
  overlay: ReadonlyMap<number, Standing>;
  pending: number;
  canUndo: boolean;
  canRedo: boolean;
  offline: boolean;
  refused: Error | null;
}

interface Memory {
  pending: Entry[];
  undo: Entry[];
  redo: Entry[];
}

const UNDO_DEPTH = 200;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export class DecisionQueue {
  private memory: Memory = { pending: [], undo: [], redo: [] };
  private overlay = new Map<number, Standing>();
  private offline = false;
  private refused: Error | null = null;
  private draining = false;
  private state: QueueState;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly send: (entry: Entry) => Promise<void>,
    private readonly kept: Kept,
    private readonly wait: (ms: number) => Promise<void> = (ms) =>
      new Promise((done) => setTimeout(done, ms)),
  ) {
    this.memory = recall(kept) ?? this.memory;
    // What a closed page left unsent stands already; the server hears of it now.
    for (const entry of this.memory.pending) this.lay(entry.changes);
    this.state = this.picture();
    void this.drain();
  }

  /** What stands for a sample here, given what the server said of it. */
  standing(index: number, fromServer: Standing): Standing {
    const laid = this.overlay.get(index);
    return laid === undefined ? fromServer : laid;
  }

  /** Decide; changes that change nothing are left out. Answers how many samples changed. */
  decide(changes: Change[], runId: string | null): number {
    const real = changes.filter((change) => !sameStanding(change.before, change.after));
    if (real.length === 0) return 0;
    const entry = { key: newKey(), runId, changes: real };
    this.memory.undo = [...this.memory.undo, entry].slice(-UNDO_DEPTH);
    this.memory.redo = [];
    this.enqueue(entry);
    return real.length;
  }

  /** Take the last decision back; answers what was changed, or null when there is nothing to undo. */
  undo(): Change[] | null {
    const last = this.memory.undo.pop();
    if (!last) return null;
    this.memory.redo.push(last);
    const changes = last.changes.map(({ index, before, after }) => ({ index, before: after, after: before }));
    this.enqueue({ key: newKey(), runId: last.runId, changes });
    return changes;
  }

  /** Do again what was undone last. */
  redo(): Change[] | null {
    const last = this.memory.redo.pop();
    if (!last) return null;
    this.memory.undo.push(last);
    this.enqueue({ ...last, key: newKey() });
    return last.changes;
  }

  dismissRefusal = () => {
    this.refused = null;
    this.changed();
  };

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  snapshot = (): QueueState => this.state;

  /** Resolves when everything decided so far is on the server, or was refused. */
  async settled(): Promise<void> {
    while (this.memory.pending.length > 0) await new Promise((done) => setTimeout(done, 20));
  }

  private enqueue(entry: Entry) {
    this.lay(entry.changes);
    this.memory.pending.push(entry);
    this.changed();
    void this.drain();
  }

  private lay(changes: Change[]) {
    this.overlay = new Map(this.overlay);
    for (const { index, after } of changes) this.overlay.set(index, after);
  }

  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    let failures = 0;
    for (let entry = this.memory.pending[0]; entry; entry = this.memory.pending[0]) {
      try {
        await this.send(entry);
        failures = 0;
        this.offline = false;
      } catch (error) {
        if (!(error instanceof Refused)) {
          this.offline = true;
          this.changed();
          await this.wait(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 1000);
          continue;
        }
        this.revert(entry);
        this.refused = error;
      }
      this.memory.pending = this.memory.pending.filter((other) => other !== entry);
      this.changed();
    }
    this.draining = false;
  }

  private revert(entry: Entry) {
    const overlay = new Map(this.overlay);
    for (const { index, before, after } of entry.changes) {
      // A later decision about the same sample stays.
      if (sameStanding(overlay.get(index) ?? null, after)) overlay.set(index, before);
    }
    this.overlay = overlay;
    this.memory.undo = this.memory.undo.filter((other) => other.key !== entry.key);
  }

  private picture(): QueueState {
    return {
      overlay: this.overlay,
      pending: this.memory.pending.length,
      canUndo: this.memory.undo.length > 0,
      canRedo: this.memory.redo.length > 0,
      offline: this.offline && this.memory.pending.length > 0,
      refused: this.refused,
    };
  }

  private changed() {
    this.kept.write(JSON.stringify(this.memory));
    this.state = this.picture();
    for (const listener of this.listeners) listener();
  }
}

export function sameStanding(a: Standing, b: Standing): boolean {
  return a?.verdict === b?.verdict && (a?.label ?? null) === (b?.label ?? null);
}

/** 128 random bits; `crypto.randomUUID` is missing on plain http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function recall(kept: Kept): Memory | null {
  const text = kept.read();
  if (text === null) return null;
  try {
    const memory = JSON.parse(text) as Partial<Memory>;
    return { pending: memory.pending ?? [], undo: memory.undo ?? [], redo: memory.redo ?? [] };
  } catch {
    return null;
  }
}
