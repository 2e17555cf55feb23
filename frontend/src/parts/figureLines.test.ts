import { describe, expect, it } from "vitest";

import { linesOf } from "./figureLines";

describe("a figure's lines as a table", () => {
  it("lists one row per x and one column per line, named by its panel where there are several", () => {
    const figure = {
      data: [
        { name: "A", x: [1, 2], y: [0.5, 0.4] },
        { name: "A", x: [2, 1], y: [null, 0.2], yaxis: "y2" },
      ] as Record<string, unknown>[],
      layout: { yaxis: {}, yaxis2: {}, annotations: [{ text: "Loss" }, { text: "<b>Noise</b>" }] },
    };
    expect(linesOf(figure)).toEqual({
      names: ["Loss: A", "Noise: A"],
      rows: [
        { at: 1, values: [0.5, 0.2] },
        { at: 2, values: [0.4, null] },
      ],
    });
  });

  it("leaves names alone where there is one panel", () => {
    expect(linesOf({ data: [{ x: [3], y: [1] }], layout: { yaxis: {} } }).names).toEqual(["line 1"]);
  });
});
