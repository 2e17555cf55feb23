/** Datasets and runs; on the first start the ways to get one. */
import { Button, Tooltip } from "@mantine/core";
import { IconDatabase, IconFlag, IconPlus, IconSparkles, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { useMay, useMayBringData } from "@/accounts/useMay";
import { answer, client, problemOf, type Dataset, type Run } from "@/api/client";
import { datasets, LIST_POLL_MS, runs, unreviewed } from "@/api/queries";
import { ago, count, many } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page } from "@/parts/Page";
import { RunRow } from "@/parts/RunRow";
import { EmptyState, ErrorState, Loading, ProblemNote } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";

import "./home.css";

const RUNS_SHOWN = 8;

export function Home() {
  const all = useQuery({ ...datasets, refetchInterval: LIST_POLL_MS });
  const audits = useQuery({ ...runs(), refetchInterval: LIST_POLL_MS });
  const mayBring = useMayBringData();
  if (all.isError) return <ErrorState error={all.error} retry={() => void all.refetch()} />;
  if (all.isPending) {
    return (
      <Page title="Home">
        <Loading />
      </Page>
    );
  }
  if (all.data.items.length === 0) return mayBring ? <FirstStart /> : <NothingShared />;
  const recent = audits.data?.items ?? [];
  return (
    <Page
      title="Home"
      actions={
        mayBring && (
          <>
            <DemoButton />
            <LinkButton to="/datasets/new" leftSection={<IconPlus size={16} />}>
              New dataset
            </LinkButton>
          </>
        )
      }
    >
      <div className="stack">
        <Resume runs={recent} />
        {recent.length > 0 && (
          <Card
            title="Audits"
            aside={recent.length > RUNS_SHOWN ? `${RUNS_SHOWN} newest of ${recent.length}` : undefined}
            flush
          >
            <div className="rows">
              {recent.slice(0, RUNS_SHOWN).map((run) => (
                <RunRow key={run.id} run={run} named />
              ))}
            </div>
          </Card>
        )}
        <Card title="Datasets" aside={many(all.data.items.length, "dataset")} flush>
          <div className="rows">
            {all.data.items.map((dataset) => (
              <DatasetRow
                key={dataset.id}
                dataset={dataset}
                runs={recent.filter((run) => run.dataset_id === dataset.id)}
              />
            ))}
          </div>
        </Card>
      </div>
    </Page>
  );
}

/** The newest audit with flags that nobody has looked at: one step back to where one was. */
function Resume({ runs: all }: { runs: Run[] }) {
  const newest = all.find((run) => run.status === "succeeded" && (run.flagged ?? 0) > 0);
  const left = useQuery({ ...unreviewed(newest?.id ?? ""), enabled: newest !== undefined }).data;
  const mayDecide = useMay(newest?.dataset_id)("decide");
  if (!newest || !left || !mayDecide) return null;
  const flagged = newest.flagged ?? 0;
  const begun = left < flagged;
  return (
    <div className="note resume">
      <IconFlag size={18} stroke={1.75} className="note-icon" />
      <div className="note-body">
        <h2>
          {begun
            ? `${count(left)} of ${many(flagged, "flag")} left in ${newest.dataset_name}`
            : `${many(flagged, "flag")} of ${newest.dataset_name} wait for a review`}
        </h2>
        <p className="dim">Found {ago(newest.finished_at ?? newest.created_at)}; your place is kept.</p>
      </div>
      <LinkButton to="/runs/$runId/flags" params={{ runId: newest.id }} search={{ verdict: "none" }}>
        {begun ? "Go on reviewing" : "Review"}
      </LinkButton>
    </div>
  );
}

function DatasetRow({ dataset, runs }: { dataset: Dataset; runs: Run[] }) {
  const flagged = runs.find((run) => run.status === "succeeded")?.flagged;
  return (
    <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} className="row home-dataset">
      <span className="row-name">{dataset.name}</span>
      <span>
        <StatusBadge status={dataset.status} />
      </span>
      <span className="dim number">
        {dataset.status === "ready"
          ? `${many(dataset.sample_count, "sample")} · ${many(dataset.classes.length, "class", "classes")}`
          : ""}
      </span>
      <span className="dim number">
        {dataset.decided > 0
          ? `${many(dataset.decided, "decision")}${flagged ? ` · ${many(flagged, "flag")}` : ""}`
          : flagged
            ? many(flagged, "flag")
            : runs.length > 0
              ? many(runs.length, "run")
              : ""}
      </span>
      <span className="faint home-when">{ago(dataset.created_at)}</span>
    </Link>
  );
}

function useDemo() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () =>
      answer(client.POST("/api/datasets/builtin/digits", { body: { noise_rate: 0.2, seed: 0 } })),
    onSuccess: async (made) => {
      await queries.invalidateQueries({ queryKey: datasets.queryKey });
      await navigate({ to: "/datasets/$datasetId", params: { datasetId: made.id } });
    },
  });
}

function DemoButton() {
  const demo = useDemo();
  return (
    <Tooltip label="1,797 handwritten digits, 20 % of the labels planted wrong">
      <Button
        variant="default"
        leftSection={<IconSparkles size={16} />}
        loading={demo.isPending}
        onClick={() => demo.mutate()}
      >
        Add the demo
      </Button>
    </Tooltip>
  );
}

/** For those who bring no data in themselves. */
function NothingShared() {
  return (
    <EmptyState icon={<IconDatabase size={22} stroke={1.6} />} title="Nothing is shared with you yet">
      Datasets appear here once whoever owns one makes you its member.
    </EmptyState>
  );
}

function FirstStart() {
  const demo = useDemo();
  return (
    <main className="page page-narrow first">
      <h1>Which of your labels are wrong?</h1>
      <p className="dim first-lead">
        Noise Audit trains on your labelled images with a method that resists wrong labels, shows which
        samples do not fit theirs and why, and keeps every decision you take. Nothing leaves this machine.
      </p>
      {demo.isError && <ProblemNote problem={problemOf(demo.error)} />}
      <div className="first-ways">
        <Link to="/datasets/new" className="first-way plain">
          <IconUpload size={20} stroke={1.6} />
          <strong>Upload a dataset</strong>
          <span className="dim">
            A zip or a folder with one folder per class, or Parquet files. It resumes when the connection
            breaks.
          </span>
        </Link>
        <button type="button" className="first-way" onClick={() => demo.mutate()} disabled={demo.isPending}>
          <IconSparkles size={20} stroke={1.6} />
          <strong>{demo.isPending ? "Preparing the demo…" : "Try the demo"}</strong>
          <span className="dim">
            1,797 real handwritten digits with 20 % of the labels planted wrong. An audit takes about a
            minute.
          </span>
        </button>
        <Link to="/datasets/new" search={{ from: "server" }} className="first-way plain">
          <IconDatabase size={20} stroke={1.6} />
          <strong>A folder on the server</strong>
          <span className="dim">For data that is there already: nothing is uploaded.</span>
        </Link>
      </div>
    </main>
  );
}
