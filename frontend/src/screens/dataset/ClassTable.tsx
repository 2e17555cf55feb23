/** The classes with their counts as bars, largest first on request. */
import { useState } from "react";

import type { Dataset } from "@/api/client";
import { count } from "@/parts/format";
import { Card } from "@/parts/Page";
import "@/parts/charts.css";

const SHOWN = 30;

export function ClassTable({ dataset }: { dataset: Dataset }) {
  const [all, setAll] = useState(false);
  const largest = Math.max(1, ...dataset.class_counts);
  const rows = dataset.classes.map((name, label) => ({
    name,
    label,
    count: dataset.class_counts[label] ?? 0,
  }));
  const shown = all ? rows : rows.slice(0, SHOWN);
  return (
    <Card title="Classes" aside="given labels">
      <table className="classes">
        <thead className="visually-hidden">
          <tr>
            <th>Class</th>
            <th>Samples</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.label}>
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
      {rows.length > shown.length && (
        <button type="button" className="more" onClick={() => setAll(true)}>
          Show all {count(rows.length)} classes
        </button>
      )}
    </Card>
  );
}
