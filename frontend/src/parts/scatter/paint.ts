/** Draws groups of points on a 2-D canvas: one small picture per colour, stamped at every point. */
import type { Density, Group, Scatter } from "./figure";
import { screenX, screenY, type Point, type View } from "./view";

export interface Look {
  ratio: number;
  accent: string;
  /** Only these are shown in full; null: all are. */
  picked: ReadonlySet<number> | null;
  hidden: ReadonlySet<string>;
  hovered: { group: Group; at: number } | null;
  path: Point[];
}

const DIMMED = 0.12;
const FULL = 0.85;
const RING = 0.5;

export function paint(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  scatter: Scatter,
  view: View,
  whole: View,
  look: Look,
) {
  context.setTransform(look.ratio, 0, 0, look.ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (scatter.density) paintDensity(context, scatter, scatter.density, view);
  // Points grow a little as one comes nearer, and never hide each other whole.
  const growth = Math.min(2.4, Math.max(1, (view.scale / whole.scale) ** 0.35));
  for (const group of scatter.groups) {
    if (!look.hidden.has(group.name)) paintGroup(context, width, height, group, view, growth, look);
  }
  if (look.hovered) {
    const { group, at } = look.hovered;
    ring(
      context,
      screenX(view, group.x[at] ?? 0),
      screenY(view, group.y[at] ?? 0),
      group.size * growth + 2,
      look.accent,
    );
  }
  if (look.path.length > 1) paintPath(context, look);
}

function paintGroup(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  group: Group,
  view: View,
  growth: number,
  look: Look,
) {
  const size = group.size * growth;
  const stamp = stampOf(group, size, look.ratio);
  const half = stamp.width / look.ratio / 2;
  const side = half * 2;
  const { picked } = look;
  const shown = group.ring ? RING : FULL;
  for (let n = 0; n < group.index.length; n += 1) {
    const x = screenX(view, group.x[n] ?? 0);
    const y = screenY(view, group.y[n] ?? 0);
    if (x < -half || y < -half || x > width + half || y > height + half) continue;
    context.globalAlpha =
      picked === null || picked.has(group.index[n] ?? -1) ? shown : group.ring ? 0 : DIMMED;
    context.drawImage(stamp, x - half, y - half, side, side);
  }
  context.globalAlpha = 1;
}

const stamps = new Map<string, HTMLCanvasElement>();
const STAMPS_KEPT = 200;

function stampOf(group: Group, size: number, ratio: number): HTMLCanvasElement {
  const key = `${group.colour}|${size.toFixed(1)}|${ratio}|${group.ring}`;
  const kept = stamps.get(key);
  if (kept) return kept;
  const side = Math.ceil((size + 2) * ratio);
  const stamp = document.createElement("canvas");
  stamp.width = stamp.height = side;
  const context = stamp.getContext("2d");
  if (context) {
    context.beginPath();
    context.arc(side / 2, side / 2, (size / 2) * ratio, 0, 2 * Math.PI);
    if (group.ring) {
      context.strokeStyle = group.colour;
      context.lineWidth = ratio;
      context.stroke();
    } else {
      context.fillStyle = group.colour;
      context.fill();
    }
  }
  if (stamps.size > STAMPS_KEPT) stamps.clear();
  stamps.set(key, stamp);
  return stamp;
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.stroke();
}

function paintPath(context: CanvasRenderingContext2D, { path, accent }: Look) {
  context.beginPath();
  for (const { x, y } of path) context.lineTo(x, y);
  context.closePath();
  context.globalAlpha = 0.1;
  context.fillStyle = accent;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = accent;
  context.lineWidth = 1.5;
  context.stroke();
}

const densities = new WeakMap<Density, HTMLCanvasElement>();

function paintDensity(context: CanvasRenderingContext2D, { bounds }: Scatter, density: Density, view: View) {
  let image = densities.get(density);
  if (!image) {
    image = densityImage(density);
    densities.set(density, image);
  }
  const left = screenX(view, Math.max(0, bounds.x0));
  const top = screenY(view, bounds.y1 - Math.max(0, -bounds.y0));
  context.imageSmoothingEnabled = true;
  context.drawImage(
    image,
    left,
    top,
    screenX(view, bounds.x1) - left,
    screenY(view, Math.max(0, bounds.y0)) - top,
  );
}

/** One pixel per cell, the fuller the less transparent; the first row is the lowest. */
function densityImage({ rows, columns, value, colour }: Density): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = columns;
  image.height = rows;
  const context = image.getContext("2d");
  let top = 0;
  for (const one of value) top = Math.max(top, one);
  if (!context || top === 0) return image;
  context.fillStyle = colour;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const share = (value[row * columns + column] ?? 0) / top;
      if (share <= 0) continue;
      context.globalAlpha = share;
      context.fillRect(column, rows - 1 - row, 1, 1);
    }
  }
  return image;
}
