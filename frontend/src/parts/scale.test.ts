import { describe, expect, it } from "vitest";

import { extent, linear, ticks, twoTicks } from "./scale";

describe("scales", () => {
  it("maps ends to ends and one point to the middle", () => {
    const scale = linear([2, 4], [100, 0]);
    expect([2, 3, 4].map(scale)).toEqual([100, 50, 0]);
    expect(linear([3, 3], [0, 10])(3)).toBe(5);
  });

  it("finds round ticks inside the domain", () => {
    expect(ticks([0, 1], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks([0.13, 4.4], 3)).toEqual([2, 4]);
    expect(ticks([0, 0.3], 3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticks([7, 7], 3)).toEqual([7]);
  });

  it("finds two ticks where one would say nothing of the slope", () => {
    expect(ticks([1.6, 2.45], 2)).toEqual([2]);
    expect(twoTicks([1.6, 2.45], 2).length).toBeGreaterThanOrEqual(2);
    expect(twoTicks([7, 7], 2)).toEqual([7]);
  });

  it("never answers an empty span", () => {
    expect(extent([Number.NaN])).toEqual([0, 1]);
    const [low, high] = extent([0, 0]);
    expect(high).toBeGreaterThan(low);
  });
});
