import { describe, expect, it } from "vitest";

import { base64Of, bitmapOf } from "./bitmap";

describe("a selection as a bitmap", () => {
  it("has the bit of each index, the lowest first, and no byte more", () => {
    expect([...bitmapOf(Uint32Array.of(0, 3, 8, 23))]).toEqual([0b1001, 1, 0b1000_0000]);
    expect(bitmapOf(new Uint32Array()).length).toBe(0);
  });

  it("survives base64, also where it is large", () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, n) => (n * 7) % 256);
    const back = atob(base64Of(bytes));
    expect(back.length).toBe(bytes.length);
    expect(bytes.every((byte, n) => back.charCodeAt(n) === byte)).toBe(true);
  });
});
