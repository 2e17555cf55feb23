import { describe, expect, it } from "vitest";

import { insideOf, makeCloud, nearestOf, visibleOf, within } from "./cloud";
import { membersOf, pointsOf, readScatter, unpackPoints } from "./figure";
import { numbersOf, shapeOf } from "./typedArrays";
import { box, centred, dataAt, fit, pan, screenX, screenY, windowOf, zoom } from "./view";

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
      x: [10, 30, 50],
      y: [25, 75],
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
    expect(density?.extent).toEqual({ x0: 0, x1: 60, y0: 0, y1: 100 });
    expect([title, subtitle]).toEqual(["Map by given", "all 3 samples"]);
    expect(bounds).toEqual({ x0: 0, x1: 100, y0: 0, y1: 100 });
  });

  it("takes lists as well, and nothing for what is no array", () => {
    expect(Array.from(numbersOf([[1, 2], [3]]))).toEqual([1, 2, 3]);
    expect(Array.from(numbersOf({ dtype: "c16", bdata: "" }))).toEqual([]);
    expect(shapeOf([1, 2])).toBeNull();
  });
});

describe("the map's points", () => {
  it("lie by sample index, each in its group; rings are none", () => {
    const points = pointsOf(readScatter(figure));
    expect(points.x.length).toBe(70_001);
    expect([points.x[70_000], points.y[70_000], points.y[9]]).toEqual([100, 0, 100]);
    expect(points.group[9]).toBe(0);
  });

  it("come packed for large maps: every x, every y, every group", () => {
    const buffer = new ArrayBuffer(15);
    new Uint16Array(buffer, 0, 6).set([1, 2, 3, 400, 500, 65_535]);
    new Uint8Array(buffer, 12).set([0, 1, 0]);
    const points = unpackPoints(buffer);
    expect([...points.x, ...points.y]).toEqual([1, 2, 3, 400, 500, 65_535]);
    expect([...membersOf(points, 0)]).toEqual([0, 2]);
  });
});

/** Numbers that are the same in every run (Park and Miller's generator). */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}

describe("the map's cells", () => {
  const random = numbers(7);
  const at = () => Math.floor(random.next().value * 65_536);
  const x = Uint16Array.from({ length: 20_000 }, at);
  const y = Uint16Array.from({ length: 20_000 }, at);
  // Some on the borders of cells, where a rounding would show.
  for (let n = 0; n < 2000; n += 1) {
    x[n] = Math.round((x[n] ?? 0) / 256) * 256;
    y[n] = Math.round((y[n] ?? 0) / 256) * 256;
  }
  const cloud = makeCloud(x, y);
  const scan = (polygon: { x: number; y: number }[]) =>
    [...x.keys()].filter((n) => within(polygon, x[n] ?? 0, y[n] ?? 0));

  it("find inside a lasso exactly what a look at every point finds", () => {
    const star = Array.from({ length: 41 }, (_, corner) => {
      const angle = (corner / 41) * 2 * Math.PI;
      const far = corner % 2 === 0 ? 30_000 : 9_000 + corner * 200;
      return { x: 33_000 + far * Math.cos(angle), y: 32_000 + far * Math.sin(angle) };
    });
    const loop = Array.from({ length: 60 }, () => ({ x: at() * 1.2 - 6000, y: at() * 1.2 - 6000 }));
    const aligned = box({ x: 256 * 40, y: 256 * 30 }, { x: 256 * 200, y: 256 * 31 });
    const beyond = box({ x: -1e5, y: -1e5 }, { x: 1e5, y: 1e5 });
    const sliver = box({ x: 100.5, y: 100.2 }, { x: 60_000.5, y: 101.7 });
    for (const polygon of [star, loop, aligned, beyond, sliver]) {
      expect([...insideOf(cloud, polygon)]).toEqual(scan(polygon));
    }
    expect(insideOf(cloud, beyond).length).toBe(20_000);
    expect(insideOf(cloud, star.slice(0, 2)).length).toBe(0);
  });

  it("leave hidden groups out", () => {
    const group = Uint8Array.from(x, (_, n) => n % 2);
    const off = new Uint8Array(256);
    off[1] = 1;
    const all = box({ x: -1, y: -1 }, { x: 65_536, y: 65_536 });
    expect(insideOf(cloud, all, { group, off }).length).toBe(10_000);
    const odd = { x: x[2001] ?? 0, y: y[2001] ?? 0 };
    expect(nearestOf(cloud, odd, 0)).toBe(2001);
    expect(nearestOf(cloud, odd, 0, { group, off })).toBe(-1);
  });

  it("find the nearest point within reach, also across cells", () => {
    const scanNearest = (px: number, py: number) => {
      const far = (n: number) => ((x[n] ?? 0) - px) ** 2 + ((y[n] ?? 0) - py) ** 2;
      return Math.min(...[...x.keys()].map(far));
    };
    for (let turn = 0; turn < 20; turn += 1) {
      const [px, py] = [at(), at()];
      const found = nearestOf(cloud, { x: px, y: py }, 3000);
      expect(((x[found] ?? 0) - px) ** 2 + ((y[found] ?? 0) - py) ** 2).toBe(scanNearest(px, py));
    }
    expect(nearestOf(makeCloud(Uint16Array.of(10), Uint16Array.of(10)), { x: 400, y: 10 }, 300)).toBe(-1);
  });

  it("say what is in view, unless that is too much", () => {
    const window = { x0: 1000, x1: 9000, y0: 60_000, y1: 70_000 };
    const seen = [...x.keys()].filter(
      (n) => (x[n] ?? 0) >= 1000 && (x[n] ?? 0) <= 9000 && (y[n] ?? 0) >= 60_000,
    );
    expect([...(visibleOf(cloud, window, 5000) ?? [])].sort((a, b) => a - b)).toEqual(seen);
    expect(visibleOf(cloud, window, seen.length - 1)).toBeNull();
    expect(visibleOf(cloud, { x0: -9, x1: -1, y0: 0, y1: 9 }, 10)?.length).toBe(0);
  });
});

describe("the map's view", () => {
  const { bounds } = readScatter(figure);
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

  it("says which data lie under a canvas position and in the whole canvas", () => {
    expect(dataAt(whole, { x: screenX(whole, 30), y: screenY(whole, 70) })).toEqual({ x: 30, y: 70 });
    expect(windowOf(whole, 400, 200)).toEqual({ x0: -50, x1: 150, y0: 0, y1: 100 });
    const middle = centred(whole, { x: 10, y: 90 }, 400, 200);
    expect([screenX(middle, 10), screenY(middle, 90)]).toEqual([200, 100]);
  });
});
