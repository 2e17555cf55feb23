/** Where data lies on the canvas, and what lies under the pointer. Pure. */
import type { Bounds, Group } from "./figure";

export interface View {
  /** Canvas pixels per unit of data, the same for both axes. */
  scale: number;
  /** Data position of the canvas's left upper corner. */
  left: number;
  top: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Found {
  group: Group;
  at: number;
}

const FARTHEST = 0.5;
const CLOSEST = 400;

/** All of the bounds, in the middle, with `room` canvas pixels around. */
export function fit(bounds: Bounds, width: number, height: number, room = 0): View {
  const spanX = bounds.x1 - bounds.x0 || 1;
  const spanY = bounds.y1 - bounds.y0 || 1;
  const scale = Math.min(Math.max(1, width - 2 * room) / spanX, Math.max(1, height - 2 * room) / spanY);
  return {
    scale,
    left: (bounds.x0 + bounds.x1) / 2 - width / scale / 2,
    top: (bounds.y0 + bounds.y1) / 2 + height / scale / 2,
  };
}

export const screenX = (view: View, x: number) => (x - view.left) * view.scale;
export const screenY = (view: View, y: number) => (view.top - y) * view.scale;

/** Zoomed by `factor` around a canvas position, held between half and 400 times the whole. */
export function zoom(view: View, whole: View, factor: number, at: Point): View {
  const scale = Math.max(whole.scale * FARTHEST, Math.min(whole.scale * CLOSEST, view.scale * factor));
  return {
    scale,
    left: view.left + at.x / view.scale - at.x / scale,
    top: view.top - at.y / view.scale + at.y / scale,
  };
}

export function pan(view: View, by: Point): View {
  return { ...view, left: view.left - by.x / view.scale, top: view.top + by.y / view.scale };
}

/** The nearest point of the groups within `reach` canvas pixels. */
export function nearest(groups: Group[], view: View, at: Point, reach: number): Found | null {
  let best = reach * reach;
  let found: Found | null = null;
  for (const group of groups) {
    for (let n = 0; n < group.index.length; n += 1) {
      const dx = screenX(view, group.x[n] ?? 0) - at.x;
      const dy = screenY(view, group.y[n] ?? 0) - at.y;
      const distance = dx * dx + dy * dy;
      if (distance <= best) {
        best = distance;
        found = { group, at: n };
      }
    }
  }
  return found;
}

/** Sample indices of the points inside a polygon on the canvas, each once. */
export function inside(groups: Group[], view: View, polygon: Point[]): number[] {
  const found = new Set<number>();
  if (polygon.length < 3) return [];
  const xs = polygon.map(({ x }) => x);
  const ys = polygon.map(({ y }) => y);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (const group of groups) {
    for (let n = 0; n < group.index.length; n += 1) {
      const x = screenX(view, group.x[n] ?? 0);
      const y = screenY(view, group.y[n] ?? 0);
      if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && within(polygon, x, y)) found.add(group.index[n] ?? -1);
    }
  }
  return [...found];
}

/** Even-odd rule: a ray to the right crosses the border an odd number of times. */
function within(polygon: Point[], x: number, y: number): boolean {
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

export const box = (a: Point, b: Point): Point[] => [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
