import { describe, expect, it } from "vitest";

import { bestOf, differing, galleryOf, inOrder, lettered, lettersOf, readRuns } from "./compare";

describe("comparing runs", () => {
  it("reads two to four runs out of an address, each once", () => {
    expect(readRuns("a,b,a")).toEqual(["a", "b"]);
    expect(readRuns(["a", "b", "c", "d", "e"])).toEqual(["a", "b", "c", "d"]);
    expect(readRuns("a,<script>,")).toEqual(["a"]);
    expect(readRuns(undefined)).toEqual([]);
  });

  it("letters runs by age, whichever of them are compared", () => {
    const made = (id: string, minute: number) => ({
      id,
      created_at: new Date(minute * 60_000).toISOString(),
    });
    const letters = lettersOf([made("new", 3), made("old", 1), made("mid", 2)]);
    expect([...letters]).toEqual([
      ["old", "A"],
      ["mid", "B"],
      ["new", "C"],
    ]);
    expect(inOrder(["new", "gone", "old"], letters)).toEqual(["old", "new", "gone"]);
    const many = lettersOf(Array.from({ length: 28 }, (_, n) => made(`${n}`, n)));
    expect(many.get("25")).toBe("Z");
    expect(many.get("27")).toBe("AB");
  });

  it("calls the lines of a figure by the letters of their runs", () => {
    const letters = new Map([
      ["old", "A"],
      ["new", "C"],
    ]);
    const data = [
      { name: "fast", legendgroup: "0" },
      { name: "thorough", legendgroup: "1" },
    ];
    const named = lettered({ data, layout: {} }, ["old", "new"], letters);
    expect(named.data.map(({ name }) => name)).toEqual(["A: fast", "C: thorough"]);
  });

  it("opens the gallery that holds what exactly some runs flagged", () => {
    const all = ["a", "b", "c"];
    expect(galleryOf(["a"], all)).toEqual({ run: "a", flagged_by: [], not_flagged_by: ["b", "c"] });
    expect(galleryOf(["b", "c"], all)).toEqual({ run: "b", flagged_by: ["c"], not_flagged_by: ["a"] });
    expect(galleryOf(all, all)).toEqual({ run: "a", flagged_by: ["b", "c"], not_flagged_by: [] });
  });

  it("names what was chosen and differs, with what the recipe says where nothing was chosen", () => {
    const runs = [
      { recipe: "fast", seed: 0, settings: {} },
      { recipe: "fast", seed: 1, settings: { epochs: 20, width: 8, logits: true } },
    ];
    const madeWith = [
      { epochs: 16, width: 8, milestones: 100 },
      { epochs: 20, width: 8, milestones: 125, logits: true },
    ];
    expect(differing(runs, madeWith)).toEqual([
      { name: "seed", values: [0, 1] },
      { name: "epochs", values: [16, 20] },
      { name: "logits", values: [null, true] },
    ]);
  });

  it("calls a value best only where it is alone", () => {
    expect(bestOf([0.8, 0.9, null])).toBe(1);
    expect(bestOf([30, 20], false)).toBe(1);
    expect(bestOf([0.9, 0.9])).toBeNull();
    expect(bestOf([0.9, undefined])).toBeNull();
  });
});
