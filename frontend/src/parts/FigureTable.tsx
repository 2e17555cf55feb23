/** The lines of a figure as a table: one row per x, one column per line. */
import type { Figure } from "@/api/queries";

import { ChartTable } from "./ChartTable";
import { figure as digits } from "./format";
import { linesOf } from "./figureLines";

export function FigureTable({ figure, caption, x }: { figure: Figure; caption: string; x: string }) {
  const { names, rows } = linesOf(figure);
  return (
    <ChartTable
      caption={caption}
      head={[x, ...names]}
      rows={rows.map(({ at, values }) => [
        at,
        ...values.map((value) => (value === null ? "–" : digits(value))),
      ])}
    />
  );
}
