/** The numbers of a chart as a table, folded away beneath it. */
import { useState, type ReactNode } from "react";

import "./charts.css";

interface Props {
  summary?: string;
  caption: string;
  head: string[];
  /** The first cell of each row names it. */
  rows: ReactNode[][];
}

export function ChartTable({ summary = "The numbers as a table", caption, head, rows }: Props) {
  // Only what is open is drawn: a hundred rows that nobody sees would be drawn anew with every move of a slider.
  const [opened, setOpened] = useState(false);
  return (
    <details className="chart-table" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {opened && (
        <div className="chart-table-scroll" tabIndex={0} role="region" aria-label={caption}>
          <table className="table number">
            <caption className="visually-hidden">{caption}</caption>
            <thead>
              <tr>
                {head.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, position) => (
                <tr key={position}>
                  {row.map((cell, column) =>
                    column === 0 ? (
                      <th key={column} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={column}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
