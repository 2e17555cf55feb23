import { describe, expect, it } from "vitest";

import { ago, bytes, count, duration, figure, many, percent } from "./format";

describe("format", () => {
  it("never rounds a share to nothing or everything", () => {
    expect([0, 0.0004, 0.014, 0.2, 0.9996, 0.994, 1].map(percent)).toEqual([
      "0 %",
      "<0.1 %",
      "1.4 %",
      "20 %",
      ">99.9 %",
      "99.4 %",
      "100 %",
    ]);
  });

  it("writes durations in at most two units", () => {
    expect([0.4, 59.6, 80, 600, 3599, 3600, 7500].map(duration)).toEqual([
      "0 s",
      "1 min",
      "1 min 20 s",
      "10 min",
      "59 min",
      "1 h",
      "2 h 5 min",
    ]);
  });

  it("writes sizes and counts", () => {
    expect([0, 999, 1000, 14_230_000, 5.4e9].map(bytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "14.2 MB",
      "5.4 GB",
    ]);
    expect(count(12345)).toBe("12,345");
    expect([many(1, "class", "classes"), many(2, "class", "classes")]).toEqual(["1 class", "2 classes"]);
  });

  it("says how long ago something was", () => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    expect(ago("2026-11-22T11:59:40Z", now)).toBe("just now");
    expect(ago("2026-11-22T11:55:00Z", now)).toBe("5 min ago");
    expect(ago("2026-11-22T09:00:00Z", now)).toBe("3 h ago");
    expect(ago("2026-11-01T09:00:00Z", now)).toContain("Nov");
  });

  it("gives small numbers their digits", () => {
    expect([4.1301, 0.00213, 1240.4, -0.5, 0].map(figure)).toEqual([
      "4.13",
      "0.0021",
      "1,240",
      "-0.50",
      "0.00",
    ]);
  });
});
