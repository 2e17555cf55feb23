import { expect, test } from "vitest";

import { pieces } from "./LineChart";

const points = [1, 2, 3, 4, 5].map((x) => [x, x * x] as const);
const xs = (starts: number[]) => pieces(points, starts).map((piece) => piece.map(([x]) => x));

test("a curve breaks before each start and nowhere else", () => {
  expect(xs([])).toEqual([[1, 2, 3, 4, 5]]);
  expect(xs([4])).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(xs([2, 5])).toEqual([[1], [2, 3, 4], [5]]);
});

test("what has not begun yet is no piece", () => {
  expect(xs([9])).toEqual([[1, 2, 3, 4, 5]]);
});
