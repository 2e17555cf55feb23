import { describe, expect, it } from "vitest";

import { matching } from "./match";

const entries = [
  { label: "Settings" },
  { label: "Sign-off", detail: "screen" },
  { label: "cifar-10", detail: "dataset" },
  { label: "fast, 3 h ago", detail: "run on cifar-10" },
  { label: "Keep the given label" },
];
const found = (typed: string) => matching(entries, typed).map(({ label }) => label);

describe("the palette", () => {
  it("shows everything while nothing is typed", () => {
    expect(found("  ")).toHaveLength(entries.length);
  });

  it("wants every word, wherever it is and however it is written", () => {
    expect(found("GIVEN keep")).toEqual(["Keep the given label"]);
    expect(found("keep nothing")).toEqual([]);
  });

  it("puts the label before the rest, and beginnings before middles", () => {
    expect(found("cifar")).toEqual(["cifar-10", "fast, 3 h ago"]);
    expect(found("s")).toEqual(["Settings", "Sign-off", "fast, 3 h ago", "cifar-10"]);
    expect(found("off")).toEqual(["Sign-off"]);
  });
});
