import { describe, expect, it } from "vitest";

import { readScatter } from "./figure";
import { numbersOf, shapeOf } from "./typedArrays";
import { box, fit, inside, nearest, pan, screenX, screenY, zoom } from "./view";

const packed = (array: Uint16Array | Uint32Array | Float32Array, dtype: string, shape?: string) => ({
  dtype,
  bdata: btoa(String.fromCharCode(...new Uint8Array(array.buffer))),
  ...(shape && { shape }),
});

const figure = {
  data: [
    {
      type: "scattergl",
      name: "cat (3)",
      x: packed(new Uint16Array([0, 100, 100]), "u2"),
      y: packed(new Uint16Array([0, 0, 100]), "u2"),
      customdata: packed(new Uint32Array([7, 70_000, 9]), "u4"),
      marker: { color: "#0072B2", size: 5 },
    },
    {
      type: "scattergl",
      name: "flagged (1)",
      x: [100],
      y: [100],
      customdata: [9],
      marker: { color: "#000", symbol: "circle-open" },
    },
    {
      type: "heatmap",
      z: packed(new Float32Array([0, 1, 2, 3, 4, 5]), "f4", "2, 3"),
      colorscale: [
        [0, "a"],
        [1, "b"],
      ],
    },
  ] as Record<string, unknown>[],
  layout: { title: { text: "Map by given<br><span style='x'>all 3 samples</span>" } },
};

describe("the map figure", () => {
  it("is read out of plotly's packed arrays", () => {
    const { groups, density, title, subtitle, bounds } = readScatter(figure);
    expect(groups.map(({ name, ring }) => [name, ring])).toEqual([
      ["cat (3)", false],
      ["flagged (1)", true],
    ]);
    expect([...Array.from(groups[0]?.index ?? [])]).toEqual([7, 70_000, 9]);
    expect(density).toMatchObject({ rows: 2, columns: 3, colour: "b" });
    expect([title, subtitle]).toEqual(["Map by given", "all 3 samples"]);
    expect(bounds).toEqual({ x0: 0, x1: 100, y0: 0, y1: 100 });
  });

  it("takes lists as well, and nothing for what is no array", () => {
    expect(Array.from(numbersOf([[1, 2], [3]]))).toEqual([1, 2, 3]);
    expect(Array.from(numbersOf({ dtype: "c16", bdata: "" }))).toEqual([]);
    expect(shapeOf([1, 2])).toBeNull();
  });
});

describe("the map's view", () => {
  const { groups, bounds } = readScatter(figure);
  const points = groups.filter(({ ring }) => !ring);
  const whole = fit(bounds, 400, 200);

  it("fits everything in the middle, y upwards", () => {
    expect([screenX(whole, 50), screenY(whole, 50)]).toEqual([200, 100]);
    expect([screenY(whole, 0), screenY(whole, 100)]).toEqual([200, 0]);
  });

  it("keeps what is under the pointer there while zooming, and moves with the hand", () => {
    const at = { x: 130, y: 40 };
    const near = zoom(whole, whole, 3, at);
    const under = { x: whole.left + at.x / whole.scale, y: whole.top - at.y / whole.scale };
    expect(screenX(near, under.x)).toBeCloseTo(at.x);
    expect(screenY(near, under.y)).toBeCloseTo(at.y);
    const moved = pan(near, { x: 10, y: -5 });
    expect(screenX(moved, under.x)).toBeCloseTo(140);
    expect(screenY(moved, under.y)).toBeCloseTo(35);
    expect(zoom(whole, whole, 1e9, at).scale).toBe(whole.scale * 400);
  });

  it("finds the nearest point within reach", () => {
    const found = nearest(points, whole, { x: screenX(whole, 100) + 3, y: screenY(whole, 100) }, 8);
    expect(found?.group.index[found.at]).toBe(9);
    expect(nearest(points, whole, { x: 5, y: 5 }, 8)).toBeNull();
  });

  it("selects inside a lasso and a box", () => {
    const corner = { x: screenX(whole, 100), y: screenY(whole, 0) };
    expect(
      inside(points, whole, box({ x: corner.x - 5, y: corner.y - 5 }, { x: corner.x + 5, y: corner.y + 5 })),
    ).toEqual([70_000]);
    const triangle = [
      { x: screenX(whole, -10), y: screenY(whole, -10) },
      { x: screenX(whole, 130), y: screenY(whole, -10) },
      { x: screenX(whole, -10), y: screenY(whole, 130) },
    ];
    expect(inside(points, whole, triangle).sort((a, b) => a - b)).toEqual([7, 70_000]);
    expect(inside(points, whole, triangle.slice(0, 2))).toEqual([]);
  });
});
