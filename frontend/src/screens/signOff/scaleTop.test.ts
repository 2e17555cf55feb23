import { describe, expect, it } from "vitest";

import { scaleTop } from "./scaleTop";

describe("the scale of the estimates", () => {
  it("ends at the first round share above every interval", () => {
    expect(scaleTop([{ high: 0.04 }, { high: 0.12 }])).toBe(0.2);
    expect(scaleTop([{ high: 0.2 }, null])).toBe(0.2);
    expect(scaleTop([{ high: 0.7 }])).toBe(1);
    expect(scaleTop([])).toBe(0.05);
  });
});
