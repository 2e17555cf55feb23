import { describe, expect, it } from "vitest";

import { changedWords } from "./changed";
import { DecisionQueue, Refused, type Kept } from "./queue";
import { historyOf, inverse, newest, type Change, type Entry, type Standing } from "./standing";

const KEEP: Standing = { verdict: "keep", label: null };
const REMOVE: Standing = { verdict: "remove", label: null };
const asDog: Standing = { verdict: "relabel", label: 5 };

class Box implements Kept {
  text: string | null = null;
  read = () => this.text;
  write = (text: string) => {
    this.text = text;
  };
}

/** A server that keeps the standing of each sample, once per key, and can be away. */
class Server {
  standing = new Map<number, Standing>();
  seen: string[] = [];
  away = 0;
  refuses = false;
  send = (entry: Entry): Promise<void> => {
    if (this.away > 0) {
      this.away -= 1;
      return Promise.reject(new TypeError("Failed to fetch"));
    }
    if (this.refuses) return Promise.reject(new Refused("no"));
    if (!this.seen.includes(entry.key))
      for (const { index, after } of entry.changes) this.standing.set(index, after);
    this.seen.push(entry.key);
    return Promise.resolve();
  };
}

const change = (index: number, after: Standing, before: Standing = null): Change => ({
  index,
  before,
  after,
});
const queueFor = (server: Server, box = new Box()) =>
  new DecisionQueue(server.send, box, { wait: () => Promise.resolve() });

describe("DecisionQueue", () => {
  it("shows a decision before the server has answered", () => {
    const queue = new DecisionQueue(() => new Promise(() => undefined), new Box());
    queue.decide([change(3, KEEP)], "run");
    expect(queue.standing(3, null)).toEqual(KEEP);
    expect(queue.snapshot().pending).toBe(1);
  });

  it("counts only the samples that change", () => {
    const queue = queueFor(new Server());
    const real = queue.decide([change(1, KEEP, KEEP), change(2, KEEP), change(3, asDog, REMOVE)], null);
    expect(real.map(({ index }) => index)).toEqual([2, 3]);
    expect(queue.decide([change(1, KEEP, KEEP)], null)).toEqual([]);
  });

  it("undoes by sending the standing from before, and redoes", async () => {
    const server = new Server();
    const queue = queueFor(server);
    queue.decide([change(1, KEEP)], null);
    queue.decide([change(1, asDog, KEEP)], null);
    queue.undo();
    await queue.settled();
    expect(server.standing.get(1)).toEqual(KEEP);
    queue.undo();
    await queue.settled();
    expect(server.standing.get(1)).toBeNull();
    expect(queue.undo()).toBeNull();
    queue.redo();
    queue.redo();
    await queue.settled();
    expect(server.standing.get(1)).toEqual(asDog);
    expect(queue.redo()).toBeNull();
  });

  it("forgets what could be redone when something new is decided", () => {
    const queue = queueFor(new Server());
    queue.decide([change(1, KEEP)], null);
    queue.undo();
    queue.decide([change(2, KEEP)], null);
    expect(queue.snapshot().canRedo).toBe(false);
  });

  it("sends everything in order once an absent server is back", async () => {
    const server = new Server();
    server.away = 4;
    const queue = queueFor(server);
    const offline: boolean[] = [];
    queue.subscribe(() => offline.push(queue.snapshot().offline));
    for (const index of [1, 2, 3]) queue.decide([change(index, KEEP)], null);
    queue.decide([change(2, REMOVE, KEEP)], null);
    await queue.settled();
    expect(offline).toContain(true);
    expect(queue.snapshot().offline).toBe(false);
    expect(Object.fromEntries(server.standing)).toEqual({ 1: KEEP, 2: REMOVE, 3: KEEP });
    expect(new Set(server.seen).size).toBe(4);
  });

  it("takes a refused decision back but leaves later ones", async () => {
    const server = new Server();
    server.refuses = true;
    const queue = queueFor(server);
    queue.decide([change(1, KEEP), change(2, KEEP)], null);
    server.refuses = true;
    await queue.settled();
    expect(queue.standing(1, REMOVE)).toBeNull();
    expect(queue.snapshot().refused).toBeInstanceOf(Refused);
    expect(queue.snapshot().canUndo).toBe(false);
  });

  it("sends after a reload what the closed page had not sent, under the same key", async () => {
    const box = new Box();
    const lost = new DecisionQueue(() => new Promise(() => undefined), box);
    lost.decide([change(7, asDog)], "run");
    const server = new Server();
    const queue = queueFor(server, box);
    expect(queue.standing(7, null)).toEqual(asDog);
    await queue.settled();
    expect(server.standing.get(7)).toEqual(asDog);
    queue.undo();
    await queue.settled();
    expect(server.standing.get(7)).toBeNull();
  });
});

describe("two tabs with one queue each", () => {
  it("show each other's decisions and send none of them", async () => {
    const server = new Server();
    const other = new DecisionQueue(() => Promise.reject(new Error("not its own")), new Box());
    const queue = new DecisionQueue(server.send, new Box(), { tell: (changes) => other.hear(changes) });
    queue.decide([change(4, REMOVE)], null);
    expect(other.standing(4, null)).toEqual(REMOVE);
    expect(other.snapshot().pending).toBe(0);
    expect(other.undo()).toBeNull();
    await queue.settled();
    queue.undo();
    expect(other.standing(4, REMOVE)).toBeNull();
  });

  it("leave alone what the other one has decided since", async () => {
    const server = new Server();
    const queue = queueFor(server);
    queue.decide([change(1, KEEP), change(2, KEEP)], null);
    await queue.settled();
    queue.hear([change(2, REMOVE, KEEP)]);
    expect(queue.undo()?.map(({ index }) => index)).toEqual([1]);
    expect(queue.standing(2, null)).toEqual(REMOVE);
    expect(queue.redo()?.map(({ index }) => index)).toEqual([1]);
  });

  it("take a refused decision back in both", async () => {
    const server = new Server();
    server.refuses = true;
    const other = new DecisionQueue(server.send, new Box());
    const queue = new DecisionQueue(server.send, new Box(), { tell: (changes) => other.hear(changes) });
    queue.decide([change(1, KEEP)], null);
    expect(other.standing(1, null)).toEqual(KEEP);
    await queue.settled();
    expect(other.standing(1, KEEP)).toBeNull();
  });
});

describe("what the server remembers", () => {
  const entry = (key: string, ...changes: Change[]): Entry => ({ key, runId: null, changes });
  const first = entry("a", change(1, KEEP));
  const second = entry("b", change(2, asDog), change(3, asDog));

  it("reads an undo as an undo, and a redo as a redo", () => {
    const undone = entry("c", ...inverse(second.changes));
    expect(historyOf([first, second])).toEqual({ undo: [first, second], redo: [] });
    expect(historyOf([first, second, undone])).toEqual({ undo: [first], redo: [second] });
    expect(historyOf([first, second, undone, entry("d", ...second.changes)])).toEqual({
      undo: [first, second],
      redo: [],
    });
    const anew = entry("e", change(9, REMOVE));
    expect(historyOf([first, second, undone, anew])).toEqual({ undo: [first, anew], redo: [] });
  });

  it("joins the parts of a large decision", () => {
    const { undo } = historyOf([first, entry("b", change(2, KEEP)), entry("b-5000", change(3, KEEP))]);
    expect(undo.map(({ changes }) => changes.length)).toEqual([1, 2]);
  });

  it("fills an empty queue, and lies under what was decided meanwhile", async () => {
    const server = new Server();
    const queue = queueFor(server);
    expect(queue.isBlank()).toBe(true);
    queue.decide([change(7, REMOVE)], null);
    expect(queue.isBlank()).toBe(false);
    queue.recallFrom({ undo: [first], redo: [second] });
    expect(queue.snapshot().canRedo).toBe(false);
    expect(queue.undo()?.[0]?.index).toBe(7);
    expect(queue.undo()?.[0]).toEqual({ index: 1, before: KEEP, after: null });
    expect(queue.undo()).toBeNull();
    await queue.settled();
    expect(server.standing.get(1)).toBeNull();
  });

  it("is bounded by changes as well as by entries", () => {
    expect(newest([first, second], { entries: 5, changes: 2 })).toEqual([second]);
    expect(newest([first, second], { entries: 1, changes: 9 })).toEqual([second]);
    expect(newest([first, second], { entries: 5, changes: 3 })).toEqual([first, second]);
  });
});

describe("what a bulk decision says of itself", () => {
  it("counts every sample that was asked for", () => {
    const changes = [change(1, asDog), change(2, asDog), change(3, KEEP)];
    expect(changedWords(changes, 5)).toBe("1 sample kept, 2 relabelled; 2 were so already");
    expect(changedWords([change(1, null, KEEP)], 1)).toBe("1 sample cleared");
    expect(changedWords([], 1)).toBe("Nothing changed: 1 sample was so already");
  });
});
