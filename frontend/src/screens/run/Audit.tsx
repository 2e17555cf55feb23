/** A run while it trains and after: stage, curves that grow, and at the end what was found. */
import { Button } from "@mantine/core";
import { IconArrowRight, IconFlag, IconPlayerStop } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";

import { answer, client, isTrained, problemOf, type Run } from "@/api/client";
import { isFinal } from "@/api/events";
import { epochs as epochsQuery, run as runQuery } from "@/api/queries";
import { Delete } from "@/parts/Delete";
import { ago, count, duration, many } from "@/parts/format";
import { JobProgress } from "@/parts/JobProgress";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";

import { Curves } from "./Curves";
import { Findings } from "./Findings";
import { Log } from "./Log";
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
      actions={
        live ? (
          <StopRun run={run} />
        ) : (
          <>
            <DeleteRun run={run} />
            {run.status === "succeeded" ? (
              <LinkButton to="/runs/$runId/flags" params={{ runId }} leftSection={<IconFlag size={16} />}>
                Review the flags
              </LinkButton>
            ) : (
              <LinkButton to="/datasets/$datasetId/new-run" params={{ datasetId: run.dataset_id }}>
                New audit
              </LinkButton>
            )}
          </>
        )
      }
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
        {run.status === "succeeded" && (
          <>
            <div className="note note-good" role="status">
              <IconFlag size={18} stroke={1.75} className="note-icon" />
              <div className="note-body">
                <h2>
                  {run.flagged
                    ? `${many(run.flagged, "sample")} of ${count(run.samples ?? 0)} flagged: ready to review`
                    : "No label stands out as wrong"}
                </h2>
              </div>
              <Link to="/runs/$runId/flags" params={{ runId }} className="note-go">
                Review <IconArrowRight size={15} />
              </Link>
            </div>
            <Findings run={run} />
          </>
        )}
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

function DeleteRun({ run }: { run: Run }) {
  const navigate = useNavigate();
  const after = () => navigate({ to: "/datasets/$datasetId", params: { datasetId: run.dataset_id } });
  return <Delete kind="audit" id={run.id} name={`${run.recipe} on ${run.dataset_name}`} after={after} />;
}

function StopRun({ run }: { run: Run }) {
  const queries = useQueryClient();
  const stop = useMutation({
    mutationFn: () =>
      answer(client.POST("/api/runs/{run_id}/stop", { params: { path: { run_id: run.id } } })),
    onSuccess: (changed) => queries.setQueryData(runQuery(run.id).queryKey, changed),
  });
  if (stop.isError) return <ProblemNote problem={problemOf(stop.error)} />;
  return (
    <Button
      variant="default"
      leftSection={<IconPlayerStop size={16} />}
      loading={stop.isPending || stop.isSuccess}
      onClick={() => stop.mutate()}
    >
      Stop
    </Button>
  );
}
