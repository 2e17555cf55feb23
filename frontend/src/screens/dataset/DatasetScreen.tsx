/** One dataset: how its import goes, what was found in it, its audits. */
import { IconActivity } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";

import { Activity } from "@/accounts/Activity";
import { useMay, useMayBringData } from "@/accounts/useMay";
import { problemOf, type Dataset, type Run } from "@/api/client";
import { useDatasetEvents } from "@/api/events";
import { dataset as datasetQuery, LIST_POLL_MS, runs as runsQuery } from "@/api/queries";
import { many } from "@/parts/format";
import { JobProgress } from "@/parts/JobProgress";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page, Stat } from "@/parts/Page";
import { RunRow } from "@/parts/RunRow";
import { EmptyState, ErrorState, Loading, ProblemNote } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";
import { AnnotatorsCard } from "@/screens/annotators/AnnotatorsCard";
import { Agreement } from "@/screens/doubleReview/Agreement";
import { ReviewCard } from "@/screens/doubleReview/ReviewCard";
import { Difference } from "@/screens/versions/Difference";

import { ClassTable } from "./ClassTable";
import { DatasetActions } from "./DatasetActions";
import { Conversions, Unreadable } from "./ImportReport";
import { Members } from "./Members";
import { reportOf } from "./report";
import { SamplePeek } from "./SamplePeek";
import { SelfTests } from "./SelfTests";
import "../home.css";
import "./dataset.css";

const WAITING = "Waiting for a worker; you can close this page";

export function DatasetScreen() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId" });
  const asked = useQuery(datasetQuery(datasetId));
  const importing = asked.data?.status === "importing";
  useDatasetEvents(datasetId, importing);
  const mayBring = useMayBringData();
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) {
    return (
      <Page title=" ">
        <Loading />
      </Page>
    );
  }
  const dataset = asked.data;
  return (
    <Page
      title={
        <>
          {dataset.name} <StatusBadge status={dataset.status} />
        </>
      }
      sub={sourceOf(dataset)}
      actions={<DatasetActions dataset={dataset} />}
    >
      {importing && (
        <Card title="Import">
          <JobProgress progress={{ ...dataset.progress, message: dataset.progress.message || WAITING }} />
        </Card>
      )}
      {dataset.status === "failed" && dataset.error && (
        <ProblemNote
          problem={dataset.error}
          action={
            mayBring && (
              <LinkButton to="/datasets/new" variant="default">
                Upload again
              </LinkButton>
            )
          }
        />
      )}
      {dataset.status === "cancelled" && (
        <div className="note">
          <div className="note-body">
            <h2>This import was stopped.</h2>
            <p className="dim">Nothing of it was kept.</p>
          </div>
        </div>
      )}
      {dataset.status === "ready" && <Ready dataset={dataset} />}
    </Page>
  );
}

function Ready({ dataset }: { dataset: Dataset }) {
  const report = reportOf(dataset);
  const audits = useQuery({ ...runsQuery(dataset.id), refetchInterval: LIST_POLL_MS });
  const mayRun = useMay(dataset.id)("run");
  const smallest = Math.min(...dataset.class_counts);
  const largest = Math.max(...dataset.class_counts);
  return (
    <>
      <div className="stats">
        <Stat name="Samples" value={dataset.sample_count.toLocaleString("en")} note={report.taken} />
        <Stat
          name="Classes"
          value={dataset.classes.length.toLocaleString("en")}
          note={`${smallest.toLocaleString("en")} to ${largest.toLocaleString("en")} samples each`}
        />
        <Stat
          name="Trained at"
          value={sizeOf(dataset.image_shape)}
          note={dataset.image_shape[2] === 1 ? "grey" : "colour"}
        />
        <Stat
          name="Unreadable"
          value={report.unreadableCount.toLocaleString("en")}
          note={report.unreadableCount ? "left out, listed below" : "every image could be read"}
        />
        <Stat
          name="Exact duplicates"
          value={report.duplicates.toLocaleString("en")}
          note={
            <Link
              to="/datasets/$datasetId/duplicates"
              params={{ datasetId: dataset.id }}
              className="dataset-compare"
            >
              look for near ones
            </Link>
          }
        />
      </div>
      <div className="grid-side">
        <div className="stack">
          <Card
            title="Audits"
            aside={<AuditsAside dataset={dataset} audits={audits.data?.items ?? []} />}
            flush
          >
            {audits.isPending && <Loading rows={1} />}
            {audits.isError && <ProblemNote problem={problemOf(audits.error)} />}
            {audits.data?.items.length === 0 && (
              <div className="dataset-empty">
                <EmptyState
                  icon={<IconActivity size={22} stroke={1.6} />}
                  title="Not audited yet"
                  action={
                    mayRun && (
                      <LinkButton to="/datasets/$datasetId/new-run" params={{ datasetId: dataset.id }}>
                        Start an audit
                      </LinkButton>
                    )
                  }
                >
                  {mayRun
                    ? "An audit trains on these images and says which labels do not fit."
                    : "Once an editor of this dataset has audited it, its flags are here."}
                </EmptyState>
              </div>
            )}
            <div className="rows">
              {audits.data?.items.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </div>
          </Card>
          {dataset.parent_id !== null && <Difference dataset={dataset} />}
          <SelfTests dataset={dataset} />
          <AnnotatorsCard dataset={dataset} />
          <SamplePeek dataset={dataset} />
          {report.unreadableCount > 0 && <Unreadable report={report} />}
          <Conversions report={report} />
        </div>
        <div className="stack">
          <ClassTable dataset={dataset} />
          <Members datasetId={dataset.id} />
          <ReviewCard datasetId={dataset.id} />
          <Agreement datasetId={dataset.id} />
          <Card title="Activity">
            <Activity datasetId={dataset.id} />
          </Card>
        </div>
      </div>
    </>
  );
}

/** How many there are, and the way to compare them. */
function AuditsAside({ dataset, audits }: { dataset: Dataset; audits: Run[] }) {
  if (audits.length === 0) return null;
  const finished = audits.filter(({ status }) => status === "succeeded").slice(0, 2);
  return (
    <>
      {many(audits.length, "audit")}
      {finished.length === 2 && (
        <>
          {" · "}
          <Link
            to="/datasets/$datasetId/compare"
            params={{ datasetId: dataset.id }}
            search={{ runs: finished.map(({ id }) => id).join() }}
            className="dataset-compare"
          >
            Compare
          </Link>
        </>
      )}
    </>
  );
}

function sourceOf(dataset: Dataset): string {
  const { kind, filename, rate } = dataset.source as {
    kind?: string;
    filename?: string;
    rate?: number | null;
  };
  if (kind === "injection") {
    return `Derived: labels of another dataset with ${rate == null ? "a given matrix of" : `${Math.round(rate * 100)} %`} noise planted; the true labels are kept`;
  }
  if (kind === "builtin")
    return "Built in: scikit-learn's handwritten digits with planted noise; the true labels are known";
  if (kind === "append") return `A version with further images${filename ? `, from ${filename}` : ""}`;
  if (kind === "labels") return `A version with other labels${filename ? `, from ${filename}` : ""}`;
  if (kind === "folder") return "From a folder on the server";
  return filename ? `From ${filename}` : "";
}

function sizeOf([height, width]: number[]): string {
  return height !== undefined && width !== undefined ? `${width} × ${height}` : "–";
}
