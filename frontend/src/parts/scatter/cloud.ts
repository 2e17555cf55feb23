/**
 * All points of a map in a grid of cells: which lie in a polygon, which one is nearest, which are in view. Pure.
 *
 * Positions are whole numbers from 0 to 65 535, one per sample index, as the server sends them. Exactness is kept
 * where cells are skipped: only a cell that no side of the polygon touches is taken or left as a whole.
 */
import type { Point } from "./view";

export interface Cloud {
  x: Uint16Array;
  y: Uint16Array;
  /** Where each cell's points begin in `order`; row after row, the lowest first. One more than there are cells. */
  start: Uint32Array;
  /** Sample indices by cell. */
  order: Uint32Array;
}

/** Bounds in units of data, both ends included. */
export interface Window {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** Samples of groups that are hidden count as not there; null: all are. */
export interface Hidden {
  group: Uint8Array;
  /** Per group: 1 where it is hidden. */
  off: Uint8Array;
}

const SHIFT = 8;
const SIDE = 256;
const CELL = 1 << SHIFT;

const cellOf = (x: number, y: number) => (y >> SHIFT) * SIDE + (x >> SHIFT);
const clamp = (value: number) => Math.max(0, Math.min(SIDE - 1, Math.floor(value)));

const isHidden = (hidden: Hidden | null, n: number) =>
  hidden !== null && hidden.off[hidden.group[n] ?? 0] === 1;

/** A counting sort of the points into 256 × 256 cells. */
export function makeCloud(x: Uint16Array, y: Uint16Array): Cloud {
  const start = new Uint32Array(SIDE * SIDE + 1);
  const order = new Uint32Array(x.length);
  for (let n = 0; n < x.length; n += 1) {
    const after = cellOf(x[n] ?? 0, y[n] ?? 0) + 1;
    start[after] = (start[after] ?? 0) + 1;
  }
  for (let cell = 0; cell < SIDE * SIDE; cell += 1) {
    start[cell + 1] = (start[cell + 1] ?? 0) + (start[cell] ?? 0);
  }
  const next = start.slice();
  for (let n = 0; n < x.length; n += 1) {
    const cell = cellOf(x[n] ?? 0, y[n] ?? 0);
    const at = next[cell] ?? 0;
    order[at] = n;
    next[cell] = at + 1;
  }
  return { x, y, start, order };
}

/** Sample indices inside a polygon given in units of data, ascending. */
export function insideOf(cloud: Cloud, polygon: Point[], hidden: Hidden | null = null): Uint32Array {
  if (polygon.length < 3) return new Uint32Array();
  const cells = cellsOf(polygon);
  const chosen = new Uint8Array(cloud.x.length);
  let found = 0;
  for (let cell = 0; cell < cells.length; cell += 1) {
    const kind = cells[cell];
    if (kind === OUTSIDE) continue;
    const end = cloud.start[cell + 1] ?? 0;
    for (let at = cloud.start[cell] ?? 0; at < end; at += 1) {
      const n = cloud.order[at] ?? 0;
      if (isHidden(hidden, n)) continue;
      if (kind === TOUCHED && !within(polygon, cloud.x[n] ?? 0, cloud.y[n] ?? 0)) continue;
      chosen[n] = 1;
      found += 1;
    }
  }
  const indices = new Uint32Array(found);
  for (let n = 0, at = 0; at < found; n += 1) if (chosen[n]) indices[at++] = n;
  return indices;
}

/** The sample nearest to a position within `reach`, in units of data; -1 where none is. */
export function nearestOf(cloud: Cloud, at: Point, reach: number, hidden: Hidden | null = null): number {
  let best = reach * reach;
  let nearest = -1;
  eachCell({ x0: at.x - reach, x1: at.x + reach, y0: at.y - reach, y1: at.y + reach }, (cell) => {
    const end = cloud.start[cell + 1] ?? 0;
    for (let n = cloud.start[cell] ?? 0; n < end; n += 1) {
      const index = cloud.order[n] ?? 0;
      if (isHidden(hidden, index)) continue;
      const distance = ((cloud.x[index] ?? 0) - at.x) ** 2 + ((cloud.y[index] ?? 0) - at.y) ** 2;
      if (distance <= best) {
        best = distance;
        nearest = index;
      }
    }
  });
  return nearest;
}

/** The samples in a window, or null when they are more than `limit`. */
export function visibleOf(cloud: Cloud, window: Window, limit: number): Uint32Array | null {
  const found: number[] = [];
  eachCell(window, (cell) => {
    const end = cloud.start[cell + 1] ?? 0;
    for (let at = cloud.start[cell] ?? 0; at < end && found.length <= limit; at += 1) {
      const n = cloud.order[at] ?? 0;
      const x = cloud.x[n] ?? 0;
      const y = cloud.y[n] ?? 0;
      if (x >= window.x0 && x <= window.x1 && y >= window.y0 && y <= window.y1) found.push(n);
    }
  });
  return found.length > limit ? null : Uint32Array.from(found);
}

function eachCell(window: Window, visit: (cell: number) => void) {
  if (window.x1 < 0 || window.y1 < 0 || window.x0 > 65_535 || window.y0 > 65_535) return;
  const [left, right] = [clamp(window.x0 / CELL), clamp(window.x1 / CELL)];
  const [low, high] = [clamp(window.y0 / CELL), clamp(window.y1 / CELL)];
  for (let row = low; row <= high; row += 1) {
    for (let column = left; column <= right; column += 1) visit(row * SIDE + column);
  }
}

const OUTSIDE = 0;
const WHOLE = 1;
const TOUCHED = 2;
/** Room for rounding where a side of the polygon runs along the border of a cell, in cells. */
const SLACK = 1e-6;

/** Per cell: untouched and outside, untouched and inside, or touched by a side of the polygon. */
function cellsOf(polygon: Point[]): Uint8Array {
  const cells = new Uint8Array(SIDE * SIDE);
  const corners = polygon.map(({ x, y }) => ({ x: x / CELL, y: y / CELL }));
  const lowest = clamp(Math.min(...corners.map(({ y }) => y)));
  const highest = clamp(Math.max(...corners.map(({ y }) => y)));
  for (let row = lowest; row <= highest; row += 1) fillRow(cells, row, corners);
  let before = corners.at(-1);
  for (const corner of corners) {
    if (before) touch(cells, before, corner);
    before = corner;
  }
  return cells;
}

/** Marks the cells of a row whose centre lies inside. */
function fillRow(cells: Uint8Array, row: number, corners: Point[]) {
  const middle = row + 0.5;
  const crossings: number[] = [];
  let before = corners.at(-1);
  for (const corner of corners) {
    if (before && corner.y > middle !== before.y > middle) {
      crossings.push(((before.x - corner.x) * (middle - corner.y)) / (before.y - corner.y) + corner.x);
    }
    before = corner;
  }
  crossings.sort((a, b) => a - b);
  for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
    const from = Math.max(0, Math.ceil((crossings[pair] ?? 0) - 0.5));
    const to = Math.min(SIDE - 1, Math.floor((crossings[pair + 1] ?? 0) - 0.5));
    if (to >= from) cells.fill(WHOLE, row * SIDE + from, row * SIDE + to + 1);
  }
}

/** Marks every cell that the side from `a` to `b` passes through or runs along. */
function touch(cells: Uint8Array, a: Point, b: Point) {
  const [low, high] = a.y <= b.y ? [a, b] : [b, a];
  if (high.y < -SLACK || low.y > SIDE + SLACK) return;
  for (let row = clamp(low.y - SLACK); row <= clamp(high.y + SLACK); row += 1) {
    const share = (y: number) =>
      high.y === low.y ? null : Math.max(0, Math.min(1, (y - low.y) / (high.y - low.y)));
    const [enter, leave] = [share(row - SLACK), share(row + 1 + SLACK)];
    const x0 = enter === null ? low.x : low.x + (high.x - low.x) * enter;
    const x1 = leave === null ? high.x : low.x + (high.x - low.x) * leave;
    const from = Math.min(x0, x1) - SLACK;
    const to = Math.max(x0, x1) + SLACK;
    if (to < 0 || from >= SIDE) continue;
    cells.fill(TOUCHED, row * SIDE + clamp(from), row * SIDE + clamp(to) + 1);
  }
}

/** Even-odd rule: a ray to the right crosses the border an odd number of times. */
export function within(polygon: Point[], x: number, y: number): boolean {
  let odd = false;
  let before = polygon.at(-1);
  for (const corner of polygon) {
    if (before && corner.y > y !== before.y > y) {
      const crossing = ((before.x - corner.x) * (y - corner.y)) / (before.y - corner.y) + corner.x;
      if (x < crossing) odd = !odd;
    }
    before = corner;
  }
  return odd;
}
