import { describe, expect, it } from "vitest";

import { atlasUrl, cellAt, indicesOf, pagesAround, sideFor } from "./atlas";

describe("the atlas", () => {
  const order = Uint32Array.from({ length: 200 }, (_, n) => 1000 - n);

  it("asks for 96 samples a picture, in the order of the list", () => {
    expect(indicesOf(order, 0)).toHaveLength(96);
    expect(indicesOf(order, 2)).toEqual([808, 807, 806, 805, 804, 803, 802, 801]);
    expect(atlasUrl("d", [3, 1], { side: 128, ground: "ffffff" })).toBe(
      "/api/datasets/d/atlas?indices=3,1&side=128&ground=ffffff",
    );
  });

  it("leaves exactly one cell in sight", () => {
    const full = { url: "u", held: 96 };
    expect(cellAt(full, 0)).toEqual({ size: "1200% 800%", position: "0% 0%" });
    expect(cellAt(full, 95).position).toBe("100% 100%");
    expect(cellAt(full, 96 + 13).position).toBe(`${(1 / 11) * 100}% ${(1 / 7) * 100}%`);
    // The last picture is only as high as it must be.
    expect(cellAt({ url: "u", held: 8 }, 192)).toEqual({ size: "1200% 100%", position: "0% 0%" });
    expect(cellAt({ url: "u", held: 13 }, 192 + 12)).toEqual({ size: "1200% 200%", position: "0% 100%" });
  });

  it("has the two pictures after those in sight ready", () => {
    expect(pagesAround(0, 40, 1000, 2)).toEqual([0, 1, 2]);
    expect(pagesAround(90, 100, 1000, 2)).toEqual([0, 1, 2, 3]);
    expect(pagesAround(980, 999, 1000, 2)).toEqual([10]);
    expect(pagesAround(0, 0, 0, 2)).toEqual([]);
  });

  it("asks for sides that are sharp on the screen, and few different ones", () => {
    expect([sideFor(72, 1), sideFor(118, 1), sideFor(172, 1), sideFor(118, 2), sideFor(172, 3)]).toEqual([
      128, 128, 192, 256, 256,
    ]);
  });
});
