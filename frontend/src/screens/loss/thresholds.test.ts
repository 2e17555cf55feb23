import { describe, expect, it } from "vitest";

import { afterKey, nearestAt } from "./thresholds";

const rows = [0.1, 0.5, 0.537, 0.6, 0.99].map((threshold) => ({ threshold }));

describe("the threshold line", () => {
  it("rests on the nearest threshold that is known", () => {
    expect(nearestAt(rows, 0.53)).toBe(2);
    expect(nearestAt(rows, 0)).toBe(0);
    expect(nearestAt(rows, 1)).toBe(4);
    expect(nearestAt([], 0.5)).toBe(-1);
  });

  it("goes by keys, and not beyond its ends", () => {
    expect(afterKey("ArrowRight", 2, rows.length)).toBe(3);
    expect(afterKey("ArrowUp", 4, rows.length)).toBe(4);
    expect(afterKey("ArrowLeft", 0, rows.length)).toBe(0);
    expect(afterKey("PageDown", 3, rows.length)).toBe(0);
    expect(afterKey("PageUp", 1, rows.length)).toBe(4);
    expect(afterKey("Home", 3, rows.length)).toBe(0);
    expect(afterKey("End", 1, rows.length)).toBe(4);
    expect(afterKey("k", 1, rows.length)).toBeNull();
  });
});
