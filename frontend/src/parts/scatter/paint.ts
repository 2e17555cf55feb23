/** Draws the map on a 2-D canvas: density, one small picture per colour stamped at every point, what is picked. */
import { paintDensity } from "./density";
import { discOf, dot, pixelOf, type Dots } from "./dots";
import type { Group, Scatter } from "./figure";
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
  const groups = scatter.groups.filter(({ name }) => !look.hidden.has(name));
  if (groups.reduce((sum, { index }) => sum + index.length, 0) > CROWDED)
    paintCrowd(context, frame, groups, look);
  else for (const group of groups) paintGroup(context, frame, group, look);
  if (density && look.picked && points) {
    paintPicked(context, frame, points, look.picked.indices, look.accent);
  }
}

/** More points than this are written as pixels: a call of the canvas for each would take longer than a frame. */
const CROWDED = 8000;

function paintCrowd(context: CanvasRenderingContext2D, frame: Frame, groups: Group[], look: Look) {
  const { ratio, view } = frame;
  const growth = growthOf(frame);
  const mask = look.picked?.mask;
  withPixels(context, (dots) => {
    // The context first, so that what is picked lies on it.
    for (const picked of mask ? [false, true] : [true]) {
      for (const { colour, size, index, x, y } of groups.filter(({ ring }) => !ring)) {
        const disc = discOf(size * growth * ratio);
        const pixel = pixelOf(colour, picked ? FULL : DIMMED * 2);
        for (let n = 0; n < index.length; n += 1) {
          if (mask && (mask[index[n] ?? 0] === 1) !== picked) continue;
          dot(dots, screenX(view, x[n] ?? 0) * ratio, screenY(view, y[n] ?? 0) * ratio, disc, pixel);
        }
      }
    }
  });
  for (const group of groups) if (group.ring) paintGroup(context, frame, group, look);
}

/** Lets something be written into pixels, and lays them over what is there. */
function withPixels(context: CanvasRenderingContext2D, write: (dots: Dots) => void) {
  const { width, height } = context.canvas;
  const layer = document.createElement("canvas");
  layer.width = width;
  layer.height = height;
  const on = layer.getContext("2d");
  if (!on || width === 0 || height === 0) return;
  const image = on.createImageData(width, height);
  write({ width, height, pixels: new Uint32Array(image.data.buffer) });
  on.putImageData(image, 0, 0);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(layer, 0, 0);
  context.restore();
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
  const { ratio, view } = frame;
  const mask = look.picked?.mask;
  const looks = groups.map(({ name, colour, size }) => ({
    hidden: look.hidden.has(name),
    disc: discOf(size * growthOf(frame) * ratio),
    full: pixelOf(colour, FULL),
    dim: pixelOf(colour, DIMMED * 2),
  }));
  withPixels(context, (dots) => {
    for (const n of look.near ?? []) {
      const one = looks[group[n] ?? 0];
      if (!one || one.hidden) continue;
      const pixel = !mask || mask[n] === 1 ? one.full : one.dim;
      dot(dots, screenX(view, x[n] ?? 0) * ratio, screenY(view, y[n] ?? 0) * ratio, one.disc, pixel);
    }
  });
}

/** Every picked sample as a few device pixels: a million of them in one image, none left out. */
function paintPicked(
  context: CanvasRenderingContext2D,
  { ratio, view }: Frame,
  { x, y }: Points,
  indices: Uint32Array,
  accent: string,
) {
  const disc = Int16Array.of(0, 0, 1, 0, 0, 1, 1, 1);
  const pixel = pixelOf(accent, 1);
  withPixels(context, (dots) => {
    for (const n of indices)
      dot(dots, screenX(view, x[n] ?? 0) * ratio, screenY(view, y[n] ?? 0) * ratio, disc, pixel);
  });
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
