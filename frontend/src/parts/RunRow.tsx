/** One run in a list: how far it is, or what it found. */
import { Link } from "@tanstack/react-router";

import { isTrained, type Run } from "@/api/client";

import { ago, duration, many, percent } from "./format";
import { StatusBadge } from "./StatusBadge";

export function RunRow({ run, named = false }: { run: Run; named?: boolean }) {
  const running = run.status === "running" || run.status === "queued";
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }} className="row run-row">
      <span className="run-row-name">
        <span className="row-name">{named ? run.dataset_name : run.recipe}</span>
        <span className="faint">
          {[named && run.recipe, isTrained(run) && `seed ${run.seed}`].filter(Boolean).join(", ")}
        </span>
      </span>
      <span>
        <StatusBadge status={run.status} />
      </span>
      <span className="dim number">
        {run.status === "succeeded" && run.flagged !== null && run.flagged !== undefined
          ? `${many(run.flagged, "flag")}${run.noise_rate === null || run.noise_rate === undefined ? "" : ` · ${percent(run.noise_rate)} noise`}`
          : (run.error?.message ?? run.progress.message)}
      </span>
      <span className="dim number">
        {running ? (
          <div
            className="run-row-bar"
            role="progressbar"
            aria-valuenow={Math.round(run.progress.fraction * 100)}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-label="Progress"
          >
            <div style={{ width: `${run.progress.fraction * 100}%` }} />
          </div>
        ) : run.seconds != null ? (
          duration(run.seconds)
        ) : (
          ""
        )}
      </span>
      <span className="faint home-when">{ago(run.created_at)}</span>
    </Link>
  );
}
