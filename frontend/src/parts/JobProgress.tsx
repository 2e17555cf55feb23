/** How far a job is: stages, a bar, what it is doing, time left. */
import { Progress } from "@mantine/core";

import type { Schemas } from "@/api/client";

import { count, duration } from "./format";
import "./progress.css";

export interface Stage {
  id: string;
  word: string;
}

export function JobProgress({ progress, stages = [] }: { progress: Schemas["Progress"]; stages?: Stage[] }) {
  const at = stages.findIndex(({ id }) => id === progress.stage);
  const facts = [
    progress.epoch && progress.epochs && !/^epoch/i.test(progress.message)
      ? `epoch ${progress.epoch} of ${progress.epochs}`
      : null,
    progress.done !== null && progress.done !== undefined && progress.total
      ? `${count(progress.done)} of ${count(progress.total)}`
      : null,
    progress.images_per_second ? `${count(progress.images_per_second)} images/s` : null,
    progress.device ?? null,
  ].filter((fact) => fact !== null);
  return (
    <div className="job" aria-live="polite">
      {stages.length > 0 && (
        <ol className="job-stages">
          {stages.map(({ id, word }, position) => (
            <li
              key={id}
              data-state={position < at ? "done" : position === at ? "now" : "to-do"}
              aria-current={position === at ? "step" : undefined}
            >
              {word}
            </li>
          ))}
        </ol>
      )}
      <Progress value={progress.fraction * 100} size="sm" aria-label="Progress" transitionDuration={400} />
      <div className="job-line number">
        <span className="dim">{[progress.message || null, ...facts].filter(Boolean).join(" · ")}</span>
        <span>
          {progress.seconds_left !== null && progress.seconds_left !== undefined
            ? `about ${duration(progress.seconds_left)} left`
            : `${Math.floor(progress.fraction * 100)} %`}
        </span>
      </div>
    </div>
  );
}
