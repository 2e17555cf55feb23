/** What leaves: a policy for the unreviewed, what it changes, and the files. */
import { Radio, SegmentedControl } from "@mantine/core";
import { IconDownload, IconFileDescription, IconPackageExport } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import { dataset as datasetQuery, exportPreview, run as runQuery, type Unreviewed } from "@/api/queries";
import { useDecisions } from "@/decisions/useDecisions";
import { count, many } from "@/parts/format";
import { Card, Page, Stat } from "@/parts/Page";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { Changes } from "./Changes";
import "./export.css";

type Format = "csv" | "json" | "parquet";

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
  const [format, setFormat] = useState<Format>("csv");
  const preview = useQuery(exportPreview(runId, policy));
  const { pending } = useDecisions(datasetId, runId);
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
          <div className="grid-2">
            <Card title={`The ${many(preview.data.flagged_unreviewed, "flag")} without a decision`}>
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
            <Card title="Files" aside={pending > 0 ? `${many(pending, "decision")} on the way…` : undefined}>
              <SegmentedControl
                size="xs"
                fullWidth
                aria-label="Format"
                value={format}
                onChange={setFormat}
                data={[
                  { value: "csv", label: "CSV" },
                  { value: "json", label: "JSON" },
                  { value: "parquet", label: "Parquet" },
                ]}
              />
              <div className="files">
                <FileRow
                  runId={runId}
                  what="cleaned-labels"
                  title="Cleaned labels"
                  says="index, name, given and cleaned label, and why"
                  format={format}
                  policy={policy}
                  held={pending > 0}
                />
                <FileRow
                  runId={runId}
                  what="samples"
                  title="All samples"
                  says="with posterior, loss, margin, suggestion and decision"
                  format={format}
                  policy={policy}
                  held={pending > 0}
                />
              </div>
              <div className="file" data-held={pending > 0 || undefined}>
                <div>
                  <strong>Report</strong>
                  <div className="dim file-says">
                    one HTML file with figures, counts and the top suspects; opens offline
                  </div>
                </div>
                <a
                  className="file-link"
                  href={`/api/runs/${runId}/exports/report/manifest?unreviewed=${policy}`}
                  target="_blank"
                  rel="noreferrer"
                  aria-disabled={pending > 0}
                >
                  <IconFileDescription size={15} aria-hidden /> Manifest
                </a>
                <a
                  className="file-link file-main"
                  href={`/api/runs/${runId}/exports/report?unreviewed=${policy}`}
                  download
                  aria-disabled={pending > 0}
                  aria-label="Download the report as HTML"
                >
                  <IconDownload size={15} aria-hidden /> HTML
                </a>
              </div>
              {format === "csv" && (
                <p className="faint files-note">
                  Cells that a spreadsheet would run as a formula are marked with a leading apostrophe; JSON
                  and Parquet hold them as they are.
                </p>
              )}
            </Card>
          </div>
          <Changes preview={preview.data} classes={classes} runId={runId} />
        </div>
      )}
    </Page>
  );
}

interface FileRowProps {
  runId: string;
  what: "cleaned-labels" | "samples";
  title: string;
  says: string;
  format: Format;
  policy: Unreviewed;
  /** Decisions are still on their way: a file made now would miss them. */
  held: boolean;
}

function FileRow({ runId, what, title, says, format, policy, held }: FileRowProps) {
  const query = `format=${format}&unreviewed=${policy}`;
  const address = `/api/runs/${runId}/exports/${what}`;
  return (
    <div className="file" data-held={held || undefined}>
      <div>
        <strong>{title}</strong>
        <div className="dim file-says">{says}</div>
      </div>
      <a
        className="file-link"
        href={`${address}/manifest?${query}`}
        target="_blank"
        rel="noreferrer"
        aria-disabled={held}
      >
        <IconFileDescription size={15} aria-hidden /> Manifest
      </a>
      <a
        className="file-link file-main"
        href={`${address}?${query}`}
        download
        aria-disabled={held}
        aria-label={`Download ${title.toLowerCase()} as ${format.toUpperCase()}`}
      >
        <IconDownload size={15} aria-hidden /> {format.toUpperCase()}
      </a>
    </div>
  );
}

function verdictsOf(decided: Record<string, number>): string {
  const parts = Object.entries(decided)
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${count(number)} ${verdict}`);
  return parts.length > 0 ? parts.join(", ") : "nothing yet";
}
