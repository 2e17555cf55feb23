/** The server's map figure read into point groups; what colour means and who belongs where is decided there. Pure. */
import type { Figure } from "@/api/queries";
import { headingOf } from "@/parts/figureHeading";

import { numbersOf, shapeOf, type Numbers } from "./typedArrays";
import type { Points } from "./useCloud";

export interface Group {
  name: string;
  colour: string;
  x: Numbers;
  y: Numbers;
  /** Sample indices, one per point. */
  index: Numbers;
  size: number;
  /** Drawn as rings around points of other groups; cannot be picked itself. */
  ring: boolean;
}

export interface Density {
  rows: number;
  columns: number;
  value: Numbers;
  colour: string;
  /** What the image covers, in units of data. */
  extent: Bounds;
}

export interface Bounds {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

export interface Scatter {
  groups: Group[];
  density: Density | null;
  bounds: Bounds;
  title: string;
  subtitle: string;
}

interface Trace {
  type?: string;
  name?: string;
  x?: unknown;
  y?: unknown;
  z?: unknown;
  customdata?: unknown;
  colorscale?: [number, string][];
  marker?: { color?: string; size?: number; symbol?: string };
}

/** Plotly puts y upwards; so do we. */
export function readScatter(figure: Figure): Scatter {
  const traces = figure.data as Trace[];
  const groups = traces
    .filter(({ type }) => type === "scattergl" || type === "scatter")
    .map((trace): Group => ({
      name: trace.name ?? "",
      colour: trace.marker?.color ?? "#888888",
      x: numbersOf(trace.x),
      y: numbersOf(trace.y),
      index: numbersOf(trace.customdata),
      size: trace.marker?.size ?? 4,
      ring: trace.marker?.symbol?.endsWith("-open") ?? false,
    }));
  const heat = traces.find(({ type }) => type === "heatmap");
  return {
    groups,
    density: heat ? readDensity(heat) : null,
    bounds: readBounds(figure, groups),
    ...headingOf(figure),
  };
}

function readDensity(trace: Trace): Density | null {
  const shape = shapeOf(trace.z);
  if (!shape) return null;
  const [rows, columns] = shape;
  const [x0, x1] = edgesOf(numbersOf(trace.x), columns);
  const [y0, y1] = edgesOf(numbersOf(trace.y), rows);
  return {
    rows,
    columns,
    value: numbersOf(trace.z),
    colour: trace.colorscale?.at(-1)?.[1] ?? "#888888",
    extent: { x0, x1, y0, y1 },
  };
}

/** From the first cell's outer edge to the last one's, given the cells' centres. */
function edgesOf(centres: Numbers, cells: number): [number, number] {
  const first = centres[0] ?? 0.5;
  const last = centres[centres.length - 1] ?? cells - 0.5;
  const half = cells > 1 ? (last - first) / (cells - 1) / 2 : 0.5;
  return [first - half, last + half];
}

/** The figure's own points by sample index, for a map on which every sample is one. */
export function pointsOf({ groups }: Scatter): Points {
  let samples = 0;
  for (const { index } of groups) for (const n of index) samples = Math.max(samples, n + 1);
  const x = new Uint16Array(samples);
  const y = new Uint16Array(samples);
  const group = new Uint8Array(samples);
  groups.forEach(({ ring, index, x: xs, y: ys }, position) => {
    if (ring) return;
    for (let at = 0; at < index.length; at += 1) {
      const n = index[at] ?? 0;
      x[n] = xs[at] ?? 0;
      y[n] = ys[at] ?? 0;
      group[n] = position;
    }
  });
  return { x, y, group };
}

/** All samples' places as the server packs them: every x, every y (two bytes each), every group (one). */
export function unpackPoints(buffer: ArrayBuffer): Points {
  const samples = Math.floor(buffer.byteLength / 5);
  return {
    x: new Uint16Array(buffer, 0, samples),
    y: new Uint16Array(buffer, 2 * samples, samples),
    group: new Uint8Array(buffer, 4 * samples, samples),
  };
}

/** The samples of one group, ascending. */
export function membersOf({ group }: Points, position: number): Uint32Array {
  let samples = 0;
  for (const one of group) if (one === position) samples += 1;
  const members = new Uint32Array(samples);
  for (let n = 0, at = 0; at < samples; n += 1) if (group[n] === position) members[at++] = n;
  return members;
}

/** The axes' ranges, or what the points span. */
function readBounds(figure: Figure, groups: Group[]): Bounds {
  const { xaxis, yaxis } = figure.layout as { xaxis?: { range?: number[] }; yaxis?: { range?: number[] } };
  const [x0, x1] = xaxis?.range ?? span(groups.map(({ x }) => x));
  const [y0, y1] = yaxis?.range ?? span(groups.map(({ y }) => y));
  return { x0: x0 ?? 0, x1: x1 ?? 1, y0: y0 ?? 0, y1: y1 ?? 1 };
}

function span(arrays: Numbers[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const array of arrays) {
    for (const value of array) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : [0, 1];
}
