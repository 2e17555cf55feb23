/** What reviewers said apart from each other: the owner goes through what they disagree on and settles it. */
import { Pagination, SegmentedControl } from "@mantine/core";
import { IconScale } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { problemOf, type Dataset } from "@/api/client";
import { dataset as datasetQuery, runs as runsQuery } from "@/api/queries";
import { review as reviewQuery, reviewedSamples, type ReviewStatus } from "@/api/review";
import { KeyOf } from "@/keys/Kbd";
import { useKeys } from "@/keys/useKeys";
import { count } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { Page } from "@/parts/Page";
import { EmptyState, ErrorState, Loading, ProblemNote } from "@/parts/States";
import { ClassPicker } from "@/screens/flags/ClassPicker";

import { Answers } from "./Answers";
import { Stands } from "./Stands";
import { relabelOf, useAdjudications } from "./useAdjudications";
import "./doublereview.css";

const PAGE = 50;

const SHOWN: { value: ReviewStatus; word: string }[] = [
  { value: "disagree", word: "Disagree" },
  { value: "adjudicated", word: "Adjudicated" },
  { value: "agreed", word: "Agreed" },
  { value: "once", word: "One answer" },
];

export function AdjudicateScreen() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId/adjudicate" });
  const dataset = useQuery(datasetQuery(datasetId));
  if (dataset.isError) return <ErrorState error={dataset.error} retry={() => void dataset.refetch()} />;
  return (
    <Page
      title="Adjudicate"
      sub={`${dataset.data ? `${dataset.data.name}: what` : "What"} reviewers decided apart from each other. What you settle stands, whatever they say afterwards.`}
    >
      {dataset.data ? <Reviewed dataset={dataset.data} /> : <Loading rows={3} height={120} />}
    </Page>
  );
}

function Reviewed({ dataset }: { dataset: Dataset }) {
  const { status = "disagree", page = 1 } = useSearch({ from: "/datasets/$datasetId/adjudicate" });
  const navigate = useNavigate({ from: "/datasets/$datasetId/adjudicate" });
  const progress = useQuery(reviewQuery(dataset.id)).data?.progress;
  const newest = useQuery(runsQuery(dataset.id)).data?.items.find(({ status }) => status === "succeeded");
  const query = reviewedSamples(dataset.id, status, (page - 1) * PAGE, PAGE);
  const asked = useQuery(query);
  const items = asked.data?.items ?? [];
  const [chosen, setChosen] = useState(0);
  const [picking, setPicking] = useState(false);
  const at = Math.min(chosen, Math.max(0, items.length - 1));
  const one = items[at];
  const { settle, undo, error } = useAdjudications(dataset.id, query.queryKey);
  const decide = (place: number, verdict: Parameters<typeof settle>[1], label: number | null = null) => {
    const sample = items[place];
    if (!sample || !progress) return;
    settle(sample, verdict, label);
    if (verdict !== "cleared") setChosen(Math.min(place + 1, items.length - 1));
  };
  const step = (by: number) => setChosen(Math.max(0, Math.min(items.length - 1, at + by)));
  useKeys({
    keep: () => decide(at, "keep"),
    remove: () => decide(at, "remove"),
    unsure: () => decide(at, "unsure"),
    accept: () => {
      const label = one && relabelOf(one)[0];
      if (label !== undefined) decide(at, "relabel", label);
    },
    relabel: () => setPicking(one !== undefined),
    clear: () => decide(at, "cleared"),
    undo,
    next: () => step(1),
    down: () => step(1),
    previous: () => step(-1),
    up: () => step(-1),
  });
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  return (
    <div className="stack">
      {progress && <Stands datasetId={dataset.id} progress={progress} />}
      <div className="answers-bar">
        <SegmentedControl
          aria-label="Which samples"
          className="answers-which"
          value={status}
          data={SHOWN.map(({ value, word }) => ({
            value,
            label: progress ? `${word} (${count(progress[value])})` : word,
          }))}
          onChange={(value) => {
            setChosen(0);
            void navigate({ search: value === "disagree" ? {} : { status: value }, replace: true });
          }}
        />
        <p className="answers-keys dim">
          <KeyOf action="next" /> <KeyOf action="previous" /> move, <KeyOf action="undo" /> takes back
        </p>
      </div>
      {error !== null && <ProblemNote problem={problemOf(error)} />}
      {asked.isPending && <Loading rows={3} height={120} />}
      {asked.data && items.length === 0 && (
        <EmptyState
          icon={<IconScale size={22} stroke={1.6} />}
          title={NOTHING[status].title}
          action={status === "disagree" && newest && <ToExport runId={newest.id} />}
        >
          {NOTHING[status].says}
        </EmptyState>
      )}
      {items.map((sample, place) => (
        <Answers
          key={sample.index}
          dataset={dataset}
          sample={sample}
          newest={newest?.id}
          cursor={place === at}
          onPoint={() => setChosen(place)}
          onSettle={progress ? (verdict, label) => decide(place, verdict, label) : undefined}
          onRelabel={() => {
            setChosen(place);
            setPicking(true);
          }}
        />
      ))}
      {status === "disagree" && progress?.disagree === 0 && items.length > 0 && newest && (
        <div className="answers-done" role="status">
          <strong>All of them are settled.</strong>
          <ToExport runId={newest.id} />
        </div>
      )}
      {asked.data && asked.data.total > PAGE && (
        <Pagination
          total={Math.ceil(asked.data.total / PAGE)}
          value={page}
          onChange={(to) => {
            setChosen(0);
            void navigate({ search: (now) => ({ ...now, page: to > 1 ? to : undefined }) });
          }}
        />
      )}
      <ClassPicker
        opened={picking}
        title="Relabel to"
        classes={dataset.classes}
        onPick={(label) => {
          setPicking(false);
          decide(at, "relabel", label);
        }}
        onClose={() => setPicking(false)}
      />
    </div>
  );
}

function ToExport({ runId }: { runId: string }) {
  return (
    <LinkButton to="/runs/$runId/export" params={{ runId }}>
      Export the labels
    </LinkButton>
  );
}

const NOTHING: Record<ReviewStatus, { title: string; says: string }> = {
  disagree: {
    title: "Nothing to settle",
    says: "Where two reviewers have decided the same sample, they agree.",
  },
  adjudicated: { title: "Nothing settled yet", says: "What you settle stands here, and can be changed." },
  agreed: { title: "Nothing agreed yet", says: "A sample is agreed once two reviewers have said the same." },
  once: {
    title: "No sample waits",
    says: "Each sample that one reviewer decided has a second one's answer.",
  },
};
