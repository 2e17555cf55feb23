import { describe, expect, it } from "vitest";

import { BINDINGS, KeyReader, SEQUENCE_MS, type Pressed } from "./keymap";

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

describe("the key map", () => {
  it("gives no key to two actions", () => {
    const keys = BINDINGS.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("never uses the first key of a sequence alone", () => {
    const keys = BINDINGS.flatMap((binding) => binding.keys);
    const firsts = keys.filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]);
    expect(firsts.length).toBeGreaterThan(0);
    for (const first of firsts) expect(keys).not.toContain(first);
  });

  it("reads single keys, named keys and Shift", () => {
    const reader = new KeyReader();
    expect(reader.read(press("k"), 0)).toBe("keep");
    expect(reader.read(press("Enter"), 0)).toBe("accept");
    expect(reader.read(press(" "), 0)).toBe("zoom");
    expect(reader.read(press("ArrowRight"), 0)).toBe("next");
    expect(reader.read(press("z"), 0)).toBe("undo");
    expect(reader.read(press("Z", { shiftKey: true }), 0)).toBe("redo");
    expect(reader.read(press("3"), 0)).toBe("likely3");
    expect(reader.read(press("?", { shiftKey: true }), 0)).toBe("help");
    expect(reader.read(press("q"), 0)).toBeNull();
  });

  it("reads G and then a letter as one, in time", () => {
    const reader = new KeyReader();
    expect(reader.read(press("g"), 0)).toBeNull();
    expect(reader.read(press("l"), 100)).toBe("goLoss");
    expect(reader.read(press("l"), 200)).toBe("relabel");
    reader.read(press("g"), 1000);
    expect(reader.read(press("l"), 1001 + SEQUENCE_MS)).toBe("relabel");
  });

  it("falls back to the single key when the sequence means nothing", () => {
    const reader = new KeyReader();
    reader.read(press("g"), 0);
    expect(reader.read(press("k"), 10)).toBe("keep");
  });

  it("leaves the browser its own shortcuts", () => {
    const reader = new KeyReader();
    expect(reader.read(press("z", { ctrlKey: true }), 0)).toBeNull();
    expect(reader.read(press("x", { metaKey: true }), 0)).toBeNull();
    expect(reader.read(press("ArrowLeft", { altKey: true }), 0)).toBeNull();
  });
});
