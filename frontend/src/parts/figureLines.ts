/** A figure's lines as rows by x. Pure. */
import type { Figure } from "@/api/queries";

import { numbersOf } from "./scatter/typedArrays";

interface Trace {
  name?: string;
  x?: unknown;
  y?: unknown;
  yaxis?: string;
}

/** Lines of the same name in several panels keep their panel's title apart. */
export function linesOf(figure: Figure): {
  names: string[];
  rows: { at: number; values: (number | null)[] }[];
} {
  const traces = figure.data as Trace[];
  const titles = titlesOf(figure);
  const names = traces.map((trace, position) =>
    [titles.get(trace.yaxis ?? "y"), trace.name ?? `line ${position + 1}`].filter(Boolean).join(": "),
  );
  const byX = new Map<number, (number | null)[]>();
  traces.forEach((trace, column) => {
    const xs = Array.from(numbersOf(trace.x));
    const ys = Array.from(numbersOf(trace.y) as ArrayLike<number | null>);
    xs.forEach((x, at) => {
      const row = byX.get(x) ?? traces.map(() => null);
      const y = ys[at];
      row[column] = typeof y === "number" && Number.isFinite(y) ? y : null;
      byX.set(x, row);
    });
  });
  const rows = [...byX].sort(([a], [b]) => a - b).map(([at, values]) => ({ at, values }));
  return { names, rows };
}

/** Panels are told apart by their vertical axis' title, or by the titles over them, in order. */
function titlesOf({ layout }: Figure): Map<string, string> {
  const found = new Map<string, string>();
  const axes = Object.keys(layout).filter((key) => /^yaxis\d*$/.test(key));
  if (axes.length < 2) return found;
  const over = ((layout.annotations ?? []) as { text?: string }[]).map(({ text }) => text ?? "");
  axes.sort((a, b) => a.length - b.length || a.localeCompare(b));
  axes.forEach((axis, position) => {
    const own = (layout[axis] as { title?: { text?: string } } | undefined)?.title?.text;
    const title = own ?? over[position];
    if (title) found.set(axis.replace("axis", ""), title.replace(/<[^>]+>/g, ""));
  });
  return found;
}
