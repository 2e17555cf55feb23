import { describe, expect, it } from "vitest";

import { discOf, dot, pixelOf } from "./dots";

describe("discs in pixels", () => {
  it("have the colour's bytes in the order of an image, and its opacity", () => {
    const bytes = new Uint8Array(Uint32Array.of(pixelOf("#12abFF", 0.2)).buffer);
    expect([...bytes]).toEqual([0x12, 0xab, 0xff, 51]);
  });

  it("are round, and cut off at the edges of the image", () => {
    expect(discOf(1)).toEqual(Int16Array.of(0, 0));
    expect(discOf(2).length / 2).toBe(5);
    const dots = { width: 4, height: 3, pixels: new Uint32Array(12) };
    dot(dots, 0.2, 0, discOf(2), 7);
    dot(dots, 30, 1, discOf(2), 9);
    expect([...dots.pixels]).toEqual([7, 7, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
  });
});
