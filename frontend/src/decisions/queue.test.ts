import { describe, expect, it } from "vitest";

import { DecisionQueue, Refused, type Change, type Entry, type Kept, type Standing } from "./queue";

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
  new DecisionQueue(server.send, box, () => Promise.resolve());

describe("DecisionQueue", () => {
  it("shows a decision before the server has answered", () => {
    const queue = new DecisionQueue(() => new Promise(() => undefined), new Box());
    queue.decide([change(3, KEEP)], "run");
    expect(queue.standing(3, null)).toEqual(KEEP);
    expect(queue.snapshot().pending).toBe(1);
  });

  it("counts only the samples that change", () => {
    const queue = queueFor(new Server());
    expect(queue.decide([change(1, KEEP, KEEP), change(2, KEEP), change(3, asDog, REMOVE)], null)).toBe(2);
    expect(queue.decide([change(1, KEEP, KEEP)], null)).toBe(0);
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
