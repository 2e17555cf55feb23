/** Where data lies on the canvas, and what lies under the pointer. Pure. */
import type { Bounds } from "./figure";

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

/** The data position under a canvas position. */
export const dataAt = (view: View, { x, y }: Point): Point => ({
  x: view.left + x / view.scale,
  y: view.top - y / view.scale,
});

/** What of the data a canvas of this size shows. */
export function windowOf(view: View, width: number, height: number) {
  return {
    x0: view.left,
    x1: view.left + width / view.scale,
    y0: view.top - height / view.scale,
    y1: view.top,
  };
}

/** With this data position in the middle. */
export function centred(view: View, at: Point, width: number, height: number): View {
  return { ...view, left: at.x - width / view.scale / 2, top: at.y + height / view.scale / 2 };
}

export const box = (a: Point, b: Point): Point[] => [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
