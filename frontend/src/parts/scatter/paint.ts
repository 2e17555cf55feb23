/** Draws the map on a 2-D canvas: density, one small picture per colour stamped at every point, what is picked. */
import type { Density, Group, Scatter } from "./figure";
import type { Points } from "./useCloud";
import { screenX, screenY, type Point, type View } from "./view";

export interface Frame {
  width: number;
  height: number;
  /** Device pixels per canvas pixel. */
  ratio: number;
  view: View;
  whole: View;
}

export interface Look {
  accent: string;
  /** Only these are shown in full, the others stay as a dim context; null: all are in full. */
  picked: { indices: Uint32Array; mask: Uint8Array } | null;
  hidden: ReadonlySet<string>;
  /** Samples under a density image that are few enough to be points again. */
  near: Uint32Array | null;
}

const DIMMED = 0.09;
const FULL = 0.85;
const RING = 0.5;
const CONTEXT = 0.4;
/** The density image steps back where it is points again. */
const BEHIND = 0.3;

export function paint(
  context: CanvasRenderingContext2D,
  frame: Frame,
  scatter: Scatter,
  points: Points | null,
  look: Look,
) {
  begin(context, frame);
  const { density } = scatter;
  if (density) {
    context.globalAlpha = look.near ? BEHIND : look.picked ? CONTEXT : 1;
    paintDensity(context, density, frame.view);
    context.globalAlpha = 1;
  }
  if (density && look.near && points) {
    paintNear(context, frame, scatter, points, look);
    return;
  }
  for (const group of scatter.groups) {
    if (!look.hidden.has(group.name)) paintGroup(context, frame, group, look);
  }
  if (density && look.picked && points) {
    paintPicked(context, frame, points, look.picked.indices, look.accent);
  }
}

/** What follows the pointer, on a canvas of its own, so that the points are not drawn again for it. */
export function paintOver(
  context: CanvasRenderingContext2D,
  frame: Frame,
  accent: string,
  hovered: Point | null,
  path: Point[],
) {
  begin(context, frame);
  context.strokeStyle = accent;
  if (hovered) {
    context.beginPath();
    context.arc(screenX(frame.view, hovered.x), screenY(frame.view, hovered.y), 7, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.stroke();
  }
  if (path.length < 2) return;
  context.beginPath();
  for (const { x, y } of path) context.lineTo(x, y);
  context.closePath();
  context.globalAlpha = 0.1;
  context.fillStyle = accent;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.stroke();
}

function begin(context: CanvasRenderingContext2D, { width, height, ratio }: Frame) {
  context.canvas.width = Math.round(width * ratio);
  context.canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

/** Points grow a little as one comes nearer, and never hide each other whole. */
const growthOf = ({ view, whole }: Frame) => Math.min(2.4, Math.max(1, (view.scale / whole.scale) ** 0.35));

function paintGroup(context: CanvasRenderingContext2D, frame: Frame, group: Group, look: Look) {
  const { width, height, ratio, view } = frame;
  const stamp = stampOf(group.colour, group.size * growthOf(frame), ratio, group.ring);
  const half = stamp.width / ratio / 2;
  const side = half * 2;
  const mask = look.picked?.mask;
  const shown = group.ring ? RING : FULL;
  const draw = (picked: boolean) => {
    for (let n = 0; n < group.index.length; n += 1) {
      if (mask && (mask[group.index[n] ?? 0] === 1) !== picked) continue;
      const x = screenX(view, group.x[n] ?? 0);
      const y = screenY(view, group.y[n] ?? 0);
      if (x < -half || y < -half || x > width + half || y > height + half) continue;
      context.drawImage(stamp, x - half, y - half, side, side);
    }
  };
  // The context lies behind what is picked.
  context.globalAlpha = group.ring ? 0 : DIMMED;
  if (mask && !group.ring) draw(false);
  context.globalAlpha = shown;
  draw(true);
  context.globalAlpha = 1;
}

/** The few in view, each as a point in the colour of its group. */
function paintNear(
  context: CanvasRenderingContext2D,
  frame: Frame,
  { groups }: Scatter,
  { x, y, group }: Points,
  look: Look,
) {
  const stamp = groups.map((one) => stampOf(one.colour, one.size * growthOf(frame), frame.ratio, false));
  const hidden = groups.map(({ name }) => look.hidden.has(name));
  for (const n of look.near ?? []) {
    const of = group[n] ?? 0;
    const image = stamp[of];
    if (!image || hidden[of]) continue;
    const half = image.width / frame.ratio / 2;
    context.globalAlpha = !look.picked || look.picked.mask[n] === 1 ? FULL : DIMMED * 2;
    context.drawImage(
      image,
      screenX(frame.view, x[n] ?? 0) - half,
      screenY(frame.view, y[n] ?? 0) - half,
      half * 2,
      half * 2,
    );
  }
  context.globalAlpha = 1;
}

/** Every picked sample as one or two device pixels: a million of them in one image, none left out. */
function paintPicked(
  context: CanvasRenderingContext2D,
  { ratio, view }: Frame,
  { x, y }: Points,
  indices: Uint32Array,
  accent: string,
) {
  const { width, height } = context.canvas;
  const layer = document.createElement("canvas");
  layer.width = width;
  layer.height = height;
  const on = layer.getContext("2d");
  if (!on || width === 0 || height === 0) return;
  const image = on.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colour = littleEndian(accent);
  for (const n of indices) {
    const column = Math.round(screenX(view, x[n] ?? 0) * ratio);
    const row = Math.round(screenY(view, y[n] ?? 0) * ratio);
    if (column < 0 || row < 0 || column + 1 >= width || row + 1 >= height) continue;
    const at = row * width + column;
    pixels[at] = pixels[at + 1] = pixels[at + width] = pixels[at + width + 1] = colour;
  }
  on.putImageData(image, 0, 0);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(layer, 0, 0);
  context.restore();
}

/** #rrggbb as one opaque pixel of an image's buffer. */
function littleEndian(colour: string): number {
  const value = Number.parseInt(colour.replace("#", ""), 16) || 0;
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

const stamps = new Map<string, HTMLCanvasElement>();
const STAMPS_KEPT = 200;

function stampOf(colour: string, size: number, ratio: number, ring: boolean): HTMLCanvasElement {
  const key = `${colour}|${size.toFixed(1)}|${ratio}|${ring}`;
  const kept = stamps.get(key);
  if (kept) return kept;
  const side = Math.ceil((size + 2) * ratio);
  const stamp = document.createElement("canvas");
  stamp.width = stamp.height = side;
  const context = stamp.getContext("2d");
  if (context) {
    context.beginPath();
    context.arc(side / 2, side / 2, (size / 2) * ratio, 0, 2 * Math.PI);
    if (ring) {
      context.strokeStyle = colour;
      context.lineWidth = ratio;
      context.stroke();
    } else {
      context.fillStyle = colour;
      context.fill();
    }
  }
  if (stamps.size > STAMPS_KEPT) stamps.clear();
  stamps.set(key, stamp);
  return stamp;
}

const densities = new WeakMap<Density, HTMLCanvasElement>();

function paintDensity(context: CanvasRenderingContext2D, density: Density, view: View) {
  let image = densities.get(density);
  if (!image) {
    image = densityImage(density);
    densities.set(density, image);
  }
  const { x0, x1, y0, y1 } = density.extent;
  const left = screenX(view, x0);
  const top = screenY(view, y1);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, left, top, screenX(view, x1) - left, screenY(view, y0) - top);
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
      context.globalAlpha = 0.08 + 0.92 * share;
      context.fillRect(column, rows - 1 - row, 1, 1);
    }
  }
  return image;
}
