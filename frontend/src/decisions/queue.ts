/**
 * The decisions of one dataset in this tab: shown at once, sent in order, undone by sending what stood before.
 *
 * Knows nothing of React or HTTP; `send`, the storage and the other tabs come in as arguments.
 */
import {
  inverse,
  newest,
  sameStanding,
  type Change,
  type Entry,
  type History,
  type Standing,
} from "./standing";

export type { Change, Entry, Standing } from "./standing";

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

interface Options {
  wait?: (ms: number) => Promise<void>;
  /** Told of everything that changes here, so that other tabs can show it; they never send it. */
  tell?: (changes: Change[]) => void;
}

interface Memory extends History {
  pending: Entry[];
}

/** How far back undo reaches: as far as the server answers for. */
export const DEPTH = { entries: 200, changes: 20_000 };
/** Written at every decision: large bulk decisions are left to the server to remember. */
const DEPTH_STORED = { entries: 200, changes: 2_000 };
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export class DecisionQueue {
  private memory: Memory = { pending: [], undo: [], redo: [] };
  private overlay = new Map<number, Standing>();
  private offline = false;
  private refused: Error | null = null;
  private draining = false;
  private state: QueueState;
  private readonly listeners = new Set<() => void>();
  private readonly wait: (ms: number) => Promise<void>;
  private readonly tell: (changes: Change[]) => void;

  constructor(
    private readonly send: (entry: Entry) => Promise<void>,
    private readonly kept: Kept,
    { wait = (ms) => new Promise((done) => setTimeout(done, ms)), tell = () => undefined }: Options = {},
  ) {
    this.wait = wait;
    this.tell = tell;
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

  /** Decide; answers the changes that change something. */
  decide(changes: Change[], runId: string | null): Change[] {
    const real = changes.filter((change) => !sameStanding(change.before, change.after));
    if (real.length === 0) return [];
    const entry = { key: newKey(), runId, changes: real };
    this.memory.undo = newest([...this.memory.undo, entry], DEPTH);
    this.memory.redo = [];
    this.enqueue(entry);
    return real;
  }

  /**
   * Take the last decision back; null when there is nothing to undo.
   *
   * Answers what was changed. What somebody decided anew in another tab since then stays, and is left out.
   */
  undo(): Change[] | null {
    const last = this.memory.undo.pop();
    if (!last) return null;
    const changes = this.stillAs(inverse(last.changes));
    if (changes.length > 0) this.memory.redo.push({ ...last, changes: inverse(changes) });
    this.enqueue({ key: newKey(), runId: last.runId, changes });
    return changes;
  }

  /** Do again what was undone last. */
  redo(): Change[] | null {
    const last = this.memory.redo.pop();
    if (!last) return null;
    const changes = this.stillAs(last.changes);
    if (changes.length > 0) this.memory.undo.push({ ...last, changes });
    this.enqueue({ key: newKey(), runId: last.runId, changes });
    return changes;
  }

  /** Whether nothing can be undone or redone here, and nothing is on its way. */
  isBlank(): boolean {
    const { pending, undo, redo } = this.memory;
    return pending.length + undo.length + redo.length === 0;
  }

  /** Put what the server remembers under what was decided here meanwhile. */
  recallFrom({ undo, redo }: History) {
    if (this.memory.redo.length > 0) return;
    if (this.memory.undo.length === 0) this.memory.redo = redo;
    this.memory.undo = newest([...undo, ...this.memory.undo], DEPTH);
    this.changed();
  }

  /** Show what another tab decided. */
  hear(changes: Change[]) {
    this.lay(changes);
    this.changed();
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

  private stillAs(changes: Change[]): Change[] {
    return changes.filter(({ index, before }) => sameStanding(this.standing(index, before), before));
  }

  private enqueue(entry: Entry) {
    if (entry.changes.length > 0) {
      this.lay(entry.changes);
      this.memory.pending.push(entry);
      this.tell(entry.changes);
    }
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
    // A later decision about the same sample stays.
    const back = inverse(entry.changes).filter(({ index, before }) =>
      sameStanding(this.overlay.get(index) ?? null, before),
    );
    this.lay(back);
    this.tell(back);
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
    const { pending, undo, redo } = this.memory;
    const stored = { pending, undo: newest(undo, DEPTH_STORED), redo: newest(redo, DEPTH_STORED) };
    this.kept.write(JSON.stringify(stored));
    this.state = this.picture();
    for (const listener of this.listeners) listener();
  }
}

/** 128 random bits; `crypto.randomUUID` is missing on plain http. */
export function newKey(): string {
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
