import { describe, expect, it } from "vitest";

import { BINDINGS } from "./bindings";
import {
  DEFAULT_CHOICES,
  isModifier,
  keymapOf,
  KeyReader,
  nameOf,
  readChoices,
  refusal,
  SEQUENCE_MS,
  shownKeys,
  type KeyChoices,
  type Pressed,
} from "./keymap";

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});
const chosen = (keys: KeyChoices["keys"], on = true): KeyChoices => ({ on, keys });
const reading = (choices: KeyChoices) => new KeyReader(keymapOf(choices));
const bindingOf = (action: string) => {
  const binding = BINDINGS.find((one) => one.action === action);
  if (!binding) throw new Error(action);
  return binding;
};

describe("the key map", () => {
  it("gives no key to two actions", () => {
    for (const led of [true, false]) {
      const keys = BINDINGS.filter((one) => one.led === led).flatMap(({ key, fixed }) =>
        key === null ? [...fixed] : [key, ...fixed],
      );
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it("reads single keys, named keys and Shift", () => {
    const reader = new KeyReader();
    expect(reader.read(press("k"), 0)).toBe("keep");
    expect(reader.read(press("Enter"), 0)).toBe("accept");
    expect(reader.read(press(" "), 0)).toBe("zoom");
    expect(reader.read(press("ArrowRight"), 0)).toBe("next");
    expect(reader.read(press("n"), 0)).toBe("neighbours");
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
    reader.read(press("g"), 5000);
    expect(reader.read(press("o"), 5001)).toBe("goCompare");
    reader.read(press("g"), 6000);
    expect(reader.read(press("s"), 6001)).toBe("goSignOff");
  });

  it("falls back to the single key when the sequence means nothing", () => {
    const reader = new KeyReader();
    reader.read(press("g"), 0);
    expect(reader.read(press("k"), 10)).toBe("keep");
  });

  it("leaves the browser its own shortcuts, but knows Ctrl+K and Cmd+K", () => {
    const reader = new KeyReader();
    expect(reader.read(press("z", { ctrlKey: true }), 0)).toBeNull();
    expect(reader.read(press("x", { metaKey: true }), 0)).toBeNull();
    expect(reader.read(press("ArrowLeft", { altKey: true }), 0)).toBeNull();
    expect(reader.read(press("k", { ctrlKey: true }), 0)).toBe("palette");
    expect(reader.read(press("k", { metaKey: true }), 0)).toBe("palette");
  });
});

describe("a user's own keys", () => {
  it("move an action: the new key does it, the old one nothing", () => {
    const reader = reading(chosen({ keep: "y" }));
    expect(reader.read(press("y"), 0)).toBe("keep");
    expect(reader.read(press("k"), 0)).toBeNull();
  });

  it("leave arrows and Escape where they are", () => {
    const reader = reading(chosen({ next: "w" }));
    expect(reader.read(press("w"), 0)).toBe("next");
    expect(reader.read(press("ArrowRight"), 0)).toBe("next");
  });

  it("may move the leading key and the letter after it", () => {
    const reader = reading(chosen({ lead: ",", goMap: "q" }));
    reader.read(press(","), 0);
    expect(reader.read(press("q"), 1)).toBe("goMap");
    expect(reader.read(press("g"), 2)).toBeNull();
  });

  it("mean nothing when switched off, except the fixed ones", () => {
    const reader = reading(chosen({}, false));
    expect(reader.read(press("k"), 0)).toBeNull();
    expect(reader.read(press("Enter"), 0)).toBeNull();
    reader.read(press("g"), 0);
    expect(reader.read(press("m"), 1)).toBeNull();
    expect(reader.read(press("Escape"), 2)).toBe("close");
    expect(reader.read(press("ArrowLeft"), 3)).toBe("previous");
    expect(reader.read(press("k", { ctrlKey: true }), 4)).toBe("palette");
  });

  it("are refused in words where they would clash", () => {
    expect(refusal("keep", press("x"), DEFAULT_CHOICES)).toBe(
      "X is taken by “Remove from the cleaned labels”. Change that one first.",
    );
    expect(refusal("keep", press("x"), chosen({ remove: "d" }))).toBeNull();
    expect(refusal("keep", press("g"), DEFAULT_CHOICES)).toContain("Go to");
    expect(refusal("keep", press("ArrowUp"), DEFAULT_CHOICES)).toContain("↑ always means");
    expect(refusal("keep", press("Tab"), DEFAULT_CHOICES)).toContain("belongs to the browser");
    expect(refusal("keep", press("F5"), DEFAULT_CHOICES)).toContain("belongs to the browser");
    expect(refusal("keep", press("y", { ctrlKey: true }), DEFAULT_CHOICES)).toContain("Ctrl");
    expect(refusal("keep", press("k"), DEFAULT_CHOICES)).toBeNull();
    expect(refusal("goMap", press("k"), DEFAULT_CHOICES)).toBeNull();
    expect(refusal("goMap", press("l"), DEFAULT_CHOICES)).toContain("“Loss”");
  });

  it("are shown as they are", () => {
    expect(shownKeys(bindingOf("redo"), DEFAULT_CHOICES)).toEqual([["Shift", "Z"]]);
    expect(shownKeys(bindingOf("next"), chosen({ next: "w" }))).toEqual([["W"], ["→"]]);
    expect(shownKeys(bindingOf("goMap"), chosen({ lead: "," }))).toEqual([[",", "M"]]);
    expect(shownKeys(bindingOf("keep"), chosen({}, false))).toEqual([]);
    expect(shownKeys(bindingOf("palette"), chosen({}, false))).toEqual([["Ctrl", "K"]]);
  });

  it("survive being kept, and nonsense does not", () => {
    const mine = chosen({ keep: "y", undo: "shift+u" }, false);
    expect(readChoices(JSON.stringify(mine))).toEqual(mine);
    expect(readChoices("{")).toEqual(DEFAULT_CHOICES);
    expect(readChoices(null)).toEqual(DEFAULT_CHOICES);
    expect(readChoices('{"keys":{"keep":7,"fly":"f","close":"q","remove":"x"}}')).toEqual(DEFAULT_CHOICES);
  });

  it("wait for the key itself while only Shift is down", () => {
    expect(isModifier(press("Shift", { shiftKey: true }))).toBe(true);
    expect(isModifier(press("S", { shiftKey: true }))).toBe(false);
    expect(nameOf(press("S", { shiftKey: true }))).toBe("shift+s");
  });
});
