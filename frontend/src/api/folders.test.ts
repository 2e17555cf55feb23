import { expect, it } from "vitest";

import { readFiles } from "./folders";

const named = (...names: string[]) => readFiles(names.map((name) => new File(["x"], name)));

it("takes several archives for several datasets", () => {
  expect(named("a.zip", "b.tar.gz", "c.npz").map((one) => [one.name, one.isFolder])).toEqual([
    ["a.zip", false],
    ["b.tar.gz", false],
    ["c.npz", false],
  ]);
});

it("takes shards, and images with a table, for one", () => {
  for (const names of [
    ["train-0.tar", "train-1.tar"],
    ["0.parquet", "1.parquet"],
    ["a.jpg", "labels.csv"],
  ]) {
    const [only, ...others] = named(...names);
    expect(others).toEqual([]);
    expect(only?.files.map(({ path }) => path)).toEqual(names);
    expect(only?.isFolder).toBe(true);
  }
});

it("takes nothing for nothing", () => {
  expect(named()).toEqual([]);
});
