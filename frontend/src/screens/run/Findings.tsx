/** The numbers of a finished run: how much noise, how sure, and how right where that is known. */
import { IconCircleCheck, IconFlag, IconHelpCircle } from "@tabler/icons-react";

import type { Run } from "@/api/client";
import { count, duration, many, percent } from "@/parts/format";
import { Stat } from "@/parts/Page";

export function Findings({ run }: { run: Run }) {
  const metrics = run.metrics;
  return (
    <div className="stack">
      <Outcome run={run} />
      <div className="stats">
        <Stat name="Flagged" value={count(run.flagged ?? 0)} note={`of ${count(run.samples ?? 0)} samples`} />
        <Stat
          name="Noise rate"
          value={run.noise_rate == null ? "–" : percent(run.noise_rate)}
          note={run.noise_rate_interval ? `95 %: ${interval(run.noise_rate_interval)}` : "estimated"}
        />
        {metrics?.auroc != null && (
          <Stat name="AUROC" value={metrics.auroc.toFixed(3)} note="against the true labels" />
        )}
        {metrics?.precision != null && metrics.recall != null && (
          <Stat
            name="Precision"
            value={percent(metrics.precision)}
            note={`recall ${percent(metrics.recall)}`}
          />
        )}
        {run.seconds != null && (
          <Stat
            name="Took"
            value={duration(run.seconds)}
            note={run.mixture && run.mixture !== "none" ? `${run.mixture} mixture` : undefined}
          />
        )}
      </div>
    </div>
  );
}

/** What there is to do, and how far to believe it. */
function Outcome({ run }: { run: Run }) {
  const { verdict, reasons = [] } = run.trust ?? {};
  const good = verdict === "good";
  const Shape = good ? IconFlag : IconHelpCircle;
  return (
    <div className={`note ${good ? "note-good" : "note-warn"}`} role="status">
      <Shape size={18} stroke={1.75} className="note-icon" />
      <div className="note-body">
        <h2>
          {run.flagged
            ? `${many(run.flagged, "sample")} of ${count(run.samples ?? 0)} flagged: ready to review`
            : "No label stands out as wrong"}
        </h2>
        {verdict && <p className="dim">{[`${WORDS[verdict] ?? verdict}.`, ...reasons].join(" ")}</p>}
      </div>
    </div>
  );
}

const WORDS: Record<string, string> = {
  good: "The estimate can be trusted",
  doubtful: "Look twice at this estimate",
  none: "There is no sign of two groups of labels",
};

/** How far the estimate can be trusted, in the method's own words. */
export function TrustNote({ trust }: { trust: NonNullable<Run["trust"]> }) {
  const good = trust.verdict === "good";
  const Shape = good ? IconCircleCheck : IconHelpCircle;
  return (
    <div className={`note ${good ? "" : "note-warn"}`}>
      <Shape
        size={18}
        stroke={1.75}
        className="note-icon"
        style={good ? { color: "var(--na-good)" } : undefined}
      />
      <div className="note-body">
        <h2>{trust.verdict && (WORDS[trust.verdict] ?? trust.verdict)}</h2>
        {trust.reasons?.map((reason) => (
          <p className="dim" key={reason}>
            {reason}
          </p>
        ))}
      </div>
    </div>
  );
}

export function interval([low, high]: number[]): string {
  return low === undefined || high === undefined ? "" : `${percent(low).replace(" %", "")}–${percent(high)}`;
}
