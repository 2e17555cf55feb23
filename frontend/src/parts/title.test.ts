import { describe, expect, it } from "vitest";

import { titleOf } from "./title";

describe("the title of a tab", () => {
  it("names the screen, then the dataset", () => {
    expect(titleOf("/runs/ab12/flags", "my digits", null)).toBe("Flags · my digits · Noise Audit");
    expect(titleOf("/runs/ab12/review/7", "my digits", null)).toBe("Review · my digits · Noise Audit");
    expect(titleOf("/datasets/ab12", "my digits", null)).toBe("my digits · Noise Audit");
    expect(titleOf("/datasets/ab12/new-run", "my digits", null)).toBe("New audit · my digits · Noise Audit");
    expect(titleOf("/datasets/new", undefined, null)).toBe("New dataset · Noise Audit");
    expect(titleOf("/", undefined, null)).toBe("Home · Noise Audit");
  });

  it("says how far a run is while it is at work", () => {
    expect(titleOf("/runs/ab12/", "my digits", 42)).toBe("42 % · Audit · my digits · Noise Audit");
  });
});
