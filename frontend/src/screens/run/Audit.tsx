/** A run while it trains and after: stage, curves that grow, and at the end what was found. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { isTrained, type Run } from "@/api/client";
import { isFinal } from "@/api/events";
import { epochs as epochsQuery, run as runQuery } from "@/api/queries";
import { ago, duration, many } from "@/parts/format";
import { JobProgress } from "@/parts/JobProgress";
import { Card, Page } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";

import { Curves } from "./Curves";
import { Findings } from "./Findings";
import { Log } from "./Log";
import { RunActions } from "./RunActions";
import { RunFacts } from "./RunFacts";
import "./run.css";

const UNTRAINED_STAGES = [
  { id: "fetch", word: "Read" },
  { id: "judge", word: "Judge" },
  { id: "map", word: "Map" },
  { id: "publish", word: "Store" },
];

const STAGES = [
  { id: "fetch", word: "Fetch" },
  { id: "train", word: "Train" },
  { id: "map", word: "Map" },
  { id: "publish", word: "Store" },
];

export function Audit() {
  const { runId } = useParams({ from: "/runs/$runId/" });
  const run = useQuery(runQuery(runId)).data;
  const known = useQuery(epochsQuery(runId)).data?.items;
  const epochs = known ?? [];
  if (!run) return null;
  const live = !isFinal(run.status);
  return (
    <Page
      title={
        <>
          {run.dataset_name} <StatusBadge status={run.status} />
        </>
      }
      sub={subtitle(run)}
      actions={<RunActions run={run} live={live} />}
    >
      <div className="stack">
        {run.status === "queued" && (
          <Card>
            <p className="run-waiting dim">
              Waiting for a worker. It starts by itself as soon as one is free; you can close this page.
            </p>
          </Card>
        )}
        {run.status === "running" && (
          <Card>
            <JobProgress progress={run.progress} stages={isTrained(run) ? STAGES : UNTRAINED_STAGES} />
          </Card>
        )}
        {run.status === "failed" && run.error && <ProblemNote problem={run.error} />}
        {run.status === "cancelled" && (
          <div className="note">
            <div className="note-body">
              <h2>This run was stopped.</h2>
              <p className="dim">
                {epochs.length > 0
                  ? `Its ${many(epochs.length, "epoch")} are shown below; it published no flags.`
                  : "It had not finished its first epoch."}
              </p>
            </div>
          </div>
        )}
        {run.status === "succeeded" && <Findings run={run} />}
        <Curves run={run} epochs={known} />
        <Log run={run} live={live} />
        <RunFacts run={run} />
      </div>
    </Page>
  );
}

function subtitle(run: Run): string {
  const took = run.seconds == null || !isFinal(run.status) ? "" : ` · ${duration(run.seconds)}`;
  const how = isTrained(run)
    ? `${run.recipe}, seed ${run.seed}`
    : "your predictions, judged without training";
  return `${how} · ${run.started_at ? `started ${ago(run.started_at)}` : `asked for ${ago(run.created_at)}`}${took}`;
}
