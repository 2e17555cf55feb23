import { describe, expect, it } from "vitest";

import { asQuery, isFiltered, readFilter, unfiltered } from "./filter";
import { Places } from "./places";
import { extend, NOTHING, step, toggle } from "./selection";

describe("the gallery's selection", () => {
  const order = Uint32Array.of(40, 10, 30, 20);

  it("toggles by sample index", () => {
    const once = toggle(NOTHING, 10);
    expect([...once.chosen]).toEqual([10]);
    expect(toggle(once, 10).chosen.size).toBe(0);
    expect(NOTHING.chosen.size).toBe(0);
  });

  it("extends along the order on screen, in both directions", () => {
    expect([...extend(toggle(NOTHING, 10), 20, order).chosen]).toEqual([10, 30, 20]);
    expect([...extend(toggle(NOTHING, 30), 40, order).chosen].sort()).toEqual([10, 30, 40]);
    expect([...extend(NOTHING, 30, order).chosen]).toEqual([30]);
  });

  it("steps inside the list", () => {
    expect(step(order, 10, 1)).toBe(30);
    expect(step(order, 20, 3)).toBe(20);
    expect(step(order, 40, -1)).toBe(40);
    expect(step(order, 99, 1)).toBe(40);
    expect(step(new Uint32Array(), null, 1)).toBeNull();
  });
});

describe("the gallery's filter", () => {
  it("reads an address and drops what makes no sense", () => {
    expect(
      readFilter({
        given: "3",
        suggested: 0,
        min: "0.5",
        max: 2,
        verdict: "none",
        split: "test",
        order: "index",
      }),
    ).toEqual({
      given: 3,
      suggested: 0,
      min: 0.5,
      verdict: "none",
      split: "test",
      order: "index",
    });
    expect(
      readFilter({
        given: "-1",
        suggested: "1.5",
        min: "",
        verdict: "maybe",
        split: "both",
        show: "few",
        agreement: 0,
      }),
    ).toEqual({});
  });

  it("knows selections and other runs by their ids", () => {
    const search = readFilter({ selection: "ab12", order: "selection", flagged_by: "r1,r2", agreement: "3" });
    expect(search).toEqual({ selection: "ab12", order: "selection", flagged_by: "r1,r2", agreement: 3 });
    expect(asQuery(search)).toMatchObject({
      selection: "ab12",
      flagged_by: ["r1", "r2"],
      min_agreement: 3,
      order: "selection",
    });
    expect(readFilter({ order: "selection" })).toEqual({});
    expect(readFilter({ selection: "../etc", not_flagged_by: "<b>" })).toEqual({});
    expect(readFilter({ selection: 123 })).toEqual({ selection: "123" });
  });

  it("asks for flagged samples by posterior unless told otherwise", () => {
    expect(asQuery({})).toMatchObject({ flagged: true, order: "posterior" });
    expect(asQuery({ show: "all", given: 2 })).toMatchObject({ flagged: undefined, given_label: 2 });
  });

  it("counts as narrowed only by what leaves samples out", () => {
    expect(isFiltered({ show: "all", order: "index" })).toBe(false);
    expect(isFiltered({ verdict: "none" })).toBe(true);
    expect(unfiltered({ show: "all", order: "selection", selection: "a", given: 1 })).toEqual({
      show: "all",
    });
  });
});

describe("places in the gallery", () => {
  it("are found again by their entry in the history, and the oldest are forgotten", () => {
    let kept: string | null = null;
    const box = { read: () => kept, write: (text: string) => (kept = text) };
    const places = new Places(box, 2);
    places.put("a", { first: 3, cursor: 7 });
    places.put("b", { first: 0, cursor: null });
    places.put("a", { first: 4, cursor: 8 });
    places.put("c", { first: 9, cursor: 1 });
    places.keep();
    const later = new Places(box, 2);
    expect(later.get("a")).toEqual({ first: 4, cursor: 8 });
    expect(later.get("b")).toBeUndefined();
    expect(later.get("c")).toEqual({ first: 9, cursor: 1 });
  });
});
