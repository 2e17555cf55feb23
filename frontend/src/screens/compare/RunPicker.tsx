/** Which runs are compared: two to four of the finished ones, each with a letter. */
import { Checkbox } from "@mantine/core";

import type { Run } from "@/api/client";
import { ago, many, percent } from "@/parts/format";
import { Card } from "@/parts/Page";

import { AT_MOST, LETTERS } from "./compare";

interface Props {
  runs: Run[];
  chosen: string[];
  onChoose: (ids: string[]) => void;
}

export function RunPicker({ runs, chosen, onChoose }: Props) {
  const full = chosen.length >= AT_MOST;
  return (
    <Card
      title="Runs"
      aside={`${chosen.length} of ${runs.length} finished ones chosen, at most ${AT_MOST}`}
      flush
    >
      <div className="rows compare-runs" role="group" aria-label="Runs to compare">
        {runs.map((run) => {
          const at = chosen.indexOf(run.id);
          return (
            <label key={run.id} className="row compare-run" data-chosen={at >= 0 || undefined}>
              <Checkbox
                size="xs"
                checked={at >= 0}
                disabled={full && at < 0}
                onChange={() =>
                  onChoose(at >= 0 ? chosen.filter((id) => id !== run.id) : [...chosen, run.id])
                }
                aria-label={`Compare ${run.recipe}, seed ${run.seed}, ${ago(run.created_at)}`}
              />
              <Letter at={at} />
              <span className="row-name">
                {run.recipe} <span className="faint">seed {run.seed}</span>
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

/** The letter under which a run stands in the tables; empty for one that is not compared. */
export function Letter({ at }: { at: number }) {
  const letter = LETTERS[at];
  return letter === undefined ? <span /> : <b className={`letter letter-${letter}`}>{letter}</b>;
}
