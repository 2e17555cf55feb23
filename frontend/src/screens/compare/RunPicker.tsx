/** Which runs are compared: two to four of the finished ones, each under its letter. */
import { Checkbox } from "@mantine/core";

import { isTrained, type Run } from "@/api/client";
import { ago, many, percent } from "@/parts/format";
import { Card } from "@/parts/Page";

import { AT_MOST, type Letters } from "./compare";

interface Props {
  runs: Run[];
  letters: Letters;
  chosen: string[];
  onChoose: (ids: string[]) => void;
}

export function RunPicker({ runs, letters, chosen, onChoose }: Props) {
  const full = chosen.length >= AT_MOST;
  return (
    <Card
      title="Runs"
      aside={`${chosen.length} of ${runs.length} finished ones chosen, at most ${AT_MOST}; A is the oldest`}
      flush
    >
      <div className="rows compare-runs" role="group" aria-label="Runs to compare">
        {runs.map((run) => {
          const on = chosen.includes(run.id);
          return (
            <label key={run.id} className="row compare-run" data-chosen={on || undefined}>
              <Checkbox
                size="xs"
                checked={on}
                disabled={full && !on}
                onChange={() => onChoose(on ? chosen.filter((id) => id !== run.id) : [...chosen, run.id])}
                aria-label={`Compare ${run.recipe}, seed ${run.seed}, ${ago(run.created_at)}`}
              />
              <Letter of={run.id} letters={letters} />
              <span className="row-name">
                {run.recipe} {isTrained(run) && <span className="faint">seed {run.seed}</span>}
              </span>
              <span className="dim number">{many(run.flagged ?? 0, "flag")}</span>
              <span className="dim number">
                {run.noise_rate == null ? "" : `${percent(run.noise_rate)} noise`}
              </span>
              <span className="faint home-when">{ago(run.created_at)}</span>
            </label>
          );
        })}
      </div>
    </Card>
  );
}

/** The letter under which a run stands in all of the tables. */
export function Letter({ of, letters }: { of: string; letters: Letters }) {
  return <b className="letter">{letters.get(of)}</b>;
}
