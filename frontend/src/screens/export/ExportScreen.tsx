/** What leaves: a policy for the unreviewed, what it changes, and the files. */
import { Radio } from "@mantine/core";
import { IconPackageExport, IconScale } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import type { ExportPreview } from "@/api/client";
import {
  dataset as datasetQuery,
  exportPreview,
  exportsOffered,
  run as runQuery,
  type Unreviewed,
} from "@/api/queries";
import { useDecisions } from "@/decisions/useDecisions";
import { count, many } from "@/parts/format";
import { Card, Page, Stat } from "@/parts/Page";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { Changes } from "./Changes";
import { CleanedDataset } from "./CleanedDataset";
import { Others, Tables } from "./Tables";
import "./export.css";

const POLICIES: { value: Unreviewed; title: string; says: string }[] = [
  { value: "keep", title: "Keep their given labels", says: "Only what somebody decided is changed." },
  {
    value: "accept",
    title: "Accept the suggested labels",
    says: "Every flag that nobody looked at is relabelled.",
  },
  { value: "remove", title: "Remove them", says: "Every flag that nobody looked at is left out." },
];

export function ExportScreen() {
  const { runId } = useParams({ from: "/runs/$runId/export" });
  const run = useQuery(runQuery(runId)).data;
  const done = run?.status === "succeeded";
  const dataset = useQuery({ ...datasetQuery(run?.dataset_id ?? ""), enabled: run !== undefined }).data;
  if (run && !done) {
    return (
      <EmptyState icon={<IconPackageExport size={22} stroke={1.6} />} title="Nothing to export yet">
        Exports are made of a finished run and your decisions.
      </EmptyState>
    );
  }
  if (!dataset) {
    return (
      <div className="page page-normal">
        <Loading />
      </div>
    );
  }
  return <Exports runId={runId} datasetId={dataset.id} classes={dataset.classes} />;
}

function Exports({ runId, datasetId, classes }: { runId: string; datasetId: string; classes: string[] }) {
  const [policy, setPolicy] = useState<Unreviewed>("keep");
  const preview = useQuery(exportPreview(runId, policy));
  const offered = useQuery(exportsOffered(runId, policy));
  const { pending } = useDecisions(datasetId, runId);
  const files = { runId, policy, held: pending > 0 };
  const decided = Object.values(preview.data?.decided ?? {}).reduce((sum, one) => sum + one, 0);
  return (
    <Page
      title="Export"
      sub="Cleaned labels are derived from the given labels, your decisions and this policy. The given labels themselves never change."
    >
      {preview.isError && <ErrorState error={preview.error} retry={() => void preview.refetch()} />}
      {preview.isPending && <Loading rows={2} height={90} />}
      {preview.data && (
        <div className="stack">
          <div className="stats">
            <Stat
              name="Samples"
              value={count(preview.data.samples)}
              note={`${count(preview.data.flagged)} flagged`}
            />
            <Stat name="Decided" value={count(decided)} note={verdictsOf(preview.data.decided)} />
            <Stat
              name="Flagged, not reviewed"
              value={count(preview.data.flagged_unreviewed)}
              note="the policy decides"
            />
            <Stat name="Relabelled" value={count(preview.data.relabelled)} note="in the cleaned labels" />
            <Stat
              name="Removed"
              value={count(preview.data.removed)}
              note={`${count(preview.data.unchanged)} unchanged`}
            />
          </div>
          {preview.data.review && <Waiting review={preview.data.review} />}
          <div className="grid-2">
            <div className="stack">
              <Card
                title={`The ${many(preview.data.flagged_unreviewed, "flag")} without a decision`}
                aside={pending > 0 ? `${many(pending, "decision")} on the way…` : undefined}
              >
                <Radio.Group
                  value={policy}
                  onChange={(value) => setPolicy(value)}
                  aria-label="What happens to flags without a decision"
                >
                  <div className="policies">
                    {POLICIES.map(({ value, title, says }) => (
                      <Radio key={value} value={value} label={title} description={says} />
                    ))}
                  </div>
                </Radio.Group>
              </Card>
              {offered.data && <CleanedDataset {...files} offered={offered.data} />}
            </div>
            {offered.data && (
              <div className="stack">
                <Tables {...files} offered={offered.data} />
                <Others {...files} offered={offered.data} />
              </div>
            )}
          </div>
          {offered.isError && <ErrorState error={offered.error} retry={() => void offered.refetch()} />}
          <Changes preview={preview.data} classes={classes} runId={runId} />
        </div>
      )}
    </Page>
  );
}

/** Of a blind review only what is agreed or adjudicated counts; says so where something else is left. */
function Waiting({ review }: { review: NonNullable<ExportPreview["review"]> }) {
  const waits = review.once + review.disagree;
  if (waits === 0) return null;
  return (
    <div className="note note-warn">
      <IconScale size={18} stroke={1.75} className="note-icon" />
      <div className="note-body">
        <h2>
          {many(waits, "sample")} of the blind review {waits === 1 ? "waits" : "wait"} and count as not
          reviewed
        </h2>
        <p className="dim">
          {count(review.once)} for a second reviewer, {count(review.disagree)} for somebody to settle them.
        </p>
      </div>
    </div>
  );
}

function verdictsOf(decided: Record<string, number>): string {
  const parts = Object.entries(decided)
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${count(number)} ${verdict}`);
  return parts.length > 0 ? parts.join(", ") : "nothing yet";
}
