import { describe, expect, it } from "vitest";

import type { Report } from "@/api/preflights";

import { classRows, firstSplit, looks, splitChoices } from "./summary";

const REPORT: Report = {
  recognised: "class-folder",
  reason: "a zip with 2 class folders",
  total: 1200,
  ignored: 0,
  splits: { test: 200, train: 1000 },
  classes: ["cat", "dog"],
  counts: { train: { cat: 600, dog: 400 }, test: { cat: 200 } },
  columns: null,
  annotators: [],
  readable: { looked_at: 96, unreadable: 0 },
  unreadable: [],
  unreadable_count: 0,
  duplicates: {
    images: 0,
    across_splits: 0,
    different_labels: 0,
    compared: 1200,
    complete: true,
    examples: [],
  },
  warnings: [],
  seconds: 1,
};

describe("splits", () => {
  it("are offered with their sizes, train first chosen", () => {
    expect(splitChoices(REPORT).map(({ label }) => label)).toEqual([
      "train · 1,000",
      "test · 200",
      "all · 1,200",
    ]);
    expect(firstSplit(REPORT)).toBe("train");
  });

  it("are no question where there is one or none", () => {
    expect(splitChoices({ ...REPORT, splits: {} })).toEqual([]);
    expect(firstSplit({ ...REPORT, splits: { test: 5 } })).toBe("all");
    expect(firstSplit({ ...REPORT, splits: { val: 5, test: 5 } })).toBe("all");
  });
});

it("counts the classes of what is chosen", () => {
  const counts = (split: string) => classRows(REPORT, split).map((row) => row.count);
  expect(counts("train")).toEqual([600, 400]);
  expect(counts("test")).toEqual([200, 0]);
  expect(counts("all")).toEqual([800, 400]);
});

it("says what was compared when that was not all", () => {
  const partly = { ...REPORT.duplicates, images: 3, compared: 500, complete: false };
  expect(looks({ ...REPORT, duplicates: partly })[1]).toBe(
    "3 images are there more than once among the first 500 (the rest was not compared)",
  );
  expect(looks(REPORT)).toEqual(["96 images tried, all can be read", "No image is there twice"]);
});
