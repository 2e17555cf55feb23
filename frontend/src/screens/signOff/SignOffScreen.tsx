/** A random sample reviewed by a person says how good the labels are: what to do, how far one is, what it says. */
import { Button, SegmentedControl } from "@mantine/core";
import { IconArrowRight, IconCircleCheck, IconRefresh, IconRosetteDiscountCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import type { Run } from "@/api/client";
import { signOff as signOffQuery, type SignOff } from "@/api/evidence";
import { run as runQuery } from "@/api/queries";
import { LookOnly } from "@/decisions/LookOnly";
import { useDecisions } from "@/decisions/useDecisions";
import { count, many } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page } from "@/parts/Page";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { Agreement } from "@/screens/doubleReview/Agreement";

import "@/parts/charts.css";

import { Estimates } from "./Estimates";
import { Strata } from "./Strata";
import "./signoff.css";

const SIZES = [100, 200, 400, 800];
const DEFAULT_SIZE = 200;

export function SignOffScreen() {
  const { runId } = useParams({ from: "/runs/$runId/sign-off" });
  const run = useQuery(runQuery(runId)).data;
  if (run && run.status !== "succeeded") {
    return (
      <EmptyState icon={<IconRosetteDiscountCheck size={22} stroke={1.6} />} title="Nothing to sign off yet">
        {run.status === "failed" || run.status === "cancelled"
          ? "This run ended before it published flags."
          : "A sample is drawn from what the run flagged and what it did not, once it has finished."}
      </EmptyState>
    );
  }
  if (!run) {
    return (
      <div className="page page-normal">
        <Loading />
      </div>
    );
  }
  return <SignOffOf run={run} />;
}

function SignOffOf({ run }: { run: Run }) {
  const { size = DEFAULT_SIZE, seed = 0 } = useSearch({ from: "/runs/$runId/sign-off" });
  const navigate = useNavigate();
  const { pending, allowed, barred } = useDecisions(run.dataset_id, run.id);
  const asked = useQuery({ ...signOffQuery(run.id, size, seed), enabled: pending === 0 });
  const go = (change: { size?: number; seed?: number }) => {
    const next = { size, seed, ...change };
    void navigate({
      to: "/runs/$runId/sign-off",
      params: { runId: run.id },
      search: {
        ...(next.size !== DEFAULT_SIZE && { size: next.size }),
        ...(next.seed !== 0 && { seed: next.seed }),
      },
      replace: true,
    });
  };
  const samples = run.samples ?? 0;
  return (
    <Page
      title="Sign-off"
      sub="How many labels are wrong, how many of the flags are right, and what was missed: from a random sample that you review."
    >
      <div className="stack">
        <Card title="How it works">
          <ol className="signoff-steps">
            <li>
              <b>A sample is drawn at random</b>, part from what the run flagged, part from what it did not,
              and mixed: the order does not tell which is which.
            </li>
            <li>
              <b>You look at each</b> and keep, relabel or remove it, as in any review. Unsure is an answer
              too: it makes the intervals wider.
            </li>
            <li>
              <b>The numbers below follow</b>, each with the interval in which the truth lies 19 times out of
              20. Your decisions count for the export as all others do.
            </li>
          </ol>
          <div className="signoff-choice">
            <SegmentedControl
              size="xs"
              aria-label="Samples to review"
              value={String(size)}
              onChange={(value) => go({ size: Number(value) })}
              data={sizesFor(samples, size).map((one) => ({ value: String(one), label: count(one) }))}
            />
            <span className="dim">samples; a larger sample goes on where the smaller one ended</span>
            <button type="button" className="more signoff-anew" onClick={() => go({ seed: seed + 1 })}>
              <IconRefresh size={14} aria-hidden /> Draw another
            </button>
          </div>
        </Card>
        {asked.isError && <ErrorState error={asked.error} retry={() => void asked.refetch()} />}
        {!asked.data && !asked.isError && <Loading rows={2} height={140} />}
        {asked.data && (
          <>
            <Progress
              runId={run.id}
              signOff={asked.data}
              allowed={allowed}
              barred={barred}
              onSize={(next) => go({ size: next })}
            />
            <Estimates signOff={asked.data} />
            <Strata signOff={asked.data} />
            <Agreement datasetId={run.dataset_id} />
          </>
        )}
      </div>
    </Page>
  );
}

interface ProgressProps {
  runId: string;
  signOff: SignOff;
  /** Whether the one who looks may review. */
  allowed: boolean;
  barred: boolean;
  onSize: (size: number) => void;
}

function Progress({ runId, signOff, allowed, barred, onSize }: ProgressProps) {
  const drawn = signOff.strata.reduce((sum, stratum) => sum + stratum.drawn, 0);
  const reviewed = signOff.strata.reduce((sum, stratum) => sum + stratum.reviewed, 0);
  const [next] = signOff.remaining;
  return (
    <div className={`note ${signOff.enough ? "note-good" : ""} signoff-progress`} role="status">
      {signOff.enough && <IconCircleCheck size={18} stroke={1.75} className="note-icon" />}
      <div className="note-body">
        <h2>
          {signOff.enough
            ? "Enough has been reviewed"
            : reviewed === 0
              ? `${many(drawn, "sample")} to review`
              : `${count(reviewed)} of ${many(drawn, "sample")} reviewed`}
        </h2>
        <p className="dim">{signOff.advice}</p>
        <div
          className="signoff-bar"
          role="progressbar"
          aria-label="Reviewed"
          aria-valuemin={0}
          aria-valuemax={drawn}
          aria-valuenow={reviewed}
        >
          <div style={{ width: `${drawn === 0 ? 0 : (reviewed / drawn) * 100}%` }} />
        </div>
      </div>
      {allowed && next === undefined && signOff.next_size != null && (
        <Button onClick={() => onSize(signOff.next_size ?? 0)}>
          Enlarge it to {count(signOff.next_size)}
        </Button>
      )}
      {barred && <LookOnly />}
      {allowed && next !== undefined && (
        <LinkButton
          to="/runs/$runId/review/$index"
          params={{ runId, index: String(next) }}
          search={{ show: "all", selection: signOff.selection, order: "selection" }}
          rightSection={<IconArrowRight size={16} />}
          variant={signOff.enough ? "default" : "filled"}
        >
          {reviewed === 0 ? "Start the review" : `Go on: ${count(signOff.remaining.length)} left`}
        </LinkButton>
      )}
    </div>
  );
}

/** The usual sizes that the dataset has, and the one asked for. */
function sizesFor(samples: number, size: number): number[] {
  const fitting = SIZES.filter((one) => one <= samples);
  if (fitting.length < SIZES.length && samples > 0) fitting.push(samples);
  return [...new Set([...fitting, size])].sort((a, b) => a - b);
}
