/** The same as both figures in numbers: a row per class, and a row per pair of labels. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Cell, ClassNoise } from "@/api/evidence";
import { ChartTable } from "@/parts/ChartTable";
import { count, percent } from "@/parts/format";
import { interval } from "@/screens/run/Findings";

interface RowsProps {
  runId: string;
  classes: string[];
  items: ClassNoise["items"];
}

export function ClassRows({ runId, classes, items }: RowsProps) {
  return (
    <ChartTable
      summary="Classes as a table"
      caption="Estimated noise by given label"
      head={["Given label", "Noise rate", "95 %", "Flagged", "Samples", "Decided"]}
      rows={items.map((row) => [
        <Link key="" to="/runs/$runId/flags" params={{ runId }} search={{ given: row.label }}>
          {classes[row.label] ?? row.label}
        </Link>,
        percent(row.noise_rate),
        interval(row.noise_rate_interval),
        count(row.flagged),
        count(row.samples),
        count(row.decided),
      ])}
    />
  );
}

const SHOWN = 8;

interface CellsProps {
  classes: string[];
  cells: Cell[];
  chosen: Cell | null;
  onChoose: (cell: Cell) => void;
}

/** The pairs with the most flags, in full on request; each opens what the matrix's cell opens. */
export function CellTable({ classes, cells, chosen, onChoose }: CellsProps) {
  const [all, setAll] = useState(false);
  const ordered = [...cells].sort((a, b) => b.flagged - a.flagged);
  const shown = all ? ordered : ordered.slice(0, SHOWN);
  if (cells.length === 0) return null;
  return (
    <>
      <table className="table cells number">
        <caption className="cells-caption">
          Commonest changes
          {ordered.length > shown.length && (
            <span className="faint">
              {" "}
              · {shown.length} of {count(ordered.length)} pairs
            </span>
          )}
        </caption>
        <thead>
          <tr>
            <th scope="col">Given → suggested</th>
            <th scope="col">Flagged</th>
            <th scope="col">Undecided</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((cell) => (
            <tr key={`${cell.given}-${cell.suggested}`} data-chosen={cell === chosen || undefined}>
              <th scope="row">
                <button type="button" className="cells-open" onClick={() => onChoose(cell)}>
                  {classes[cell.given]} <span className="faint">→</span> <b>{classes[cell.suggested]}</b>
                </button>
              </th>
              <td>{count(cell.flagged)}</td>
              <td>{count(cell.undecided)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {ordered.length > SHOWN && (
        <button type="button" className="more" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${count(ordered.length)} pairs`}
        </button>
      )}
    </>
  );
}
