/** Classes with their counts as bars. */
import { useState } from "react";

import "./charts.css";
import "./classbars.css";
import { count } from "./format";

interface Props {
  rows: { name: string; count: number }[];
  /** How many are shown before somebody asks for all. */
  shown?: number;
}

export function ClassBars({ rows, shown = 30 }: Props) {
  const [all, setAll] = useState(false);
  const largest = Math.max(1, ...rows.map((row) => row.count));
  return (
    <>
      <table className="classes">
        <thead className="visually-hidden">
          <tr>
            <th>Class</th>
            <th>Samples</th>
          </tr>
        </thead>
        <tbody>
          {(all ? rows : rows.slice(0, shown)).map((row) => (
            <tr key={row.name}>
              <td className="classes-name" title={row.name}>
                {row.name}
              </td>
              <td className="classes-bar">
                <div style={{ width: `${(row.count / largest) * 100}%` }} />
              </td>
              <td className="classes-count number dim">{count(row.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && rows.length > shown && (
        <button type="button" className="more" onClick={() => setAll(true)}>
          Show all {count(rows.length)} classes
        </button>
      )}
    </>
  );
}
