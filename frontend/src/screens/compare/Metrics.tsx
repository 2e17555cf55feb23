/** What the runs found, and with which settings, one column a run. */
import type { ReactNode } from "react";

import type { Run } from "@/api/client";
import type { Comparison } from "@/api/evidence";
import { count, duration, percent } from "@/parts/format";
import { interval } from "@/screens/run/Findings";

import { bestOf, differing, type Letters } from "./compare";
import { Letter } from "./RunPicker";

interface Line {
  name: string;
  of: (run: Run) => number | null | undefined;
  shown: (value: number, run: Run) => ReactNode;
  /** Whether the largest is the best; absent where none is. */
  larger?: boolean;
}

const fixed = (value: number) => value.toFixed(3);

const LINES: Line[] = [
  { name: "Flagged", of: (run) => run.flagged, shown: count },
  {
    name: "Noise rate",
    of: (run) => run.noise_rate,
    shown: (value, run) => (
      <>
        {percent(value)}
        {run.noise_rate_interval && <span className="faint"> {interval(run.noise_rate_interval)}</span>}
      </>
    ),
  },
  { name: "AUROC", of: (run) => run.metrics?.auroc, shown: fixed, larger: true },
  { name: "Average precision", of: (run) => run.metrics?.average_precision, shown: fixed, larger: true },
  { name: "Precision", of: (run) => run.metrics?.precision, shown: percent, larger: true },
  { name: "Recall", of: (run) => run.metrics?.recall, shown: percent, larger: true },
  { name: "F1", of: (run) => run.metrics?.f1, shown: fixed, larger: true },
  { name: "Took", of: (run) => run.seconds, shown: duration },
];

interface Props {
  runs: Run[];
  letters: Letters;
}

export function Metrics({ runs, letters }: Props) {
  const known = LINES.filter(({ of }) => runs.some((run) => of(run) != null));
  const truths = runs.some(({ metrics }) => metrics?.auroc != null);
  return (
    <>
      <div className="table-wide" tabIndex={0} role="region" aria-label="Results of the runs">
        <table className="table number compare-table">
          <Head runs={runs} letters={letters} />
          <tbody>
            <tr>
              <th scope="row" className="dim">
                Verdict
              </th>
              {runs.map((run) => (
                <td key={run.id}>{run.trust?.verdict ?? "–"}</td>
              ))}
            </tr>
            {known.map(({ name, of, shown, larger }) => {
              const values = runs.map(of);
              const best = larger === undefined ? null : bestOf(values, larger);
              return (
                <tr key={name}>
                  <th scope="row" className="dim">
                    {name}
                  </th>
                  {runs.map((run, at) => {
                    const value = values[at];
                    return (
                      <td key={run.id} data-best={at === best || undefined}>
                        {value == null ? "–" : shown(value, run)}
                        {at === best && <span className="visually-hidden"> (best)</span>}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {truths && <p className="faint compare-note">AUROC to F1 against the true labels. The best is bold.</p>}
    </>
  );
}

export function Settings({ runs, settings, letters }: Props & Pick<Comparison, "settings">) {
  const all = differing(runs, settings);
  if (all.length === 0) return <p className="dim compare-hint">None: the runs were made alike.</p>;
  return (
    <div className="table-wide" tabIndex={0} role="region" aria-label="Settings that differ">
      <table className="table number compare-table">
        <Head runs={runs} letters={letters} />
        <tbody>
          {all.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row" className="dim">
                {name.replaceAll("_", " ")}
              </th>
              {values.map((value, at) => (
                <td key={runs[at]?.id}>{text(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head({ runs, letters }: Props) {
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="visually-hidden">What</span>
        </th>
        {runs.map((run) => (
          <th key={run.id} scope="col">
            <Letter of={run.id} letters={letters} /> {run.recipe}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
