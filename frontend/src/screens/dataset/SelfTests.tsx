/** Plants noise in a copy, audits it, and says how much of it was found: how far to trust an audit of this data. */
import { IconFlask } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { useMay } from "@/accounts/useMay";
import type { Dataset } from "@/api/client";
import { isFinal } from "@/api/events";
import { selfTests as selfTestsQuery, type SelfTest } from "@/api/evidence";
import { run as runQuery } from "@/api/queries";
import { ago, count, percent } from "@/parts/format";
import { Card } from "@/parts/Page";
import { ErrorState, Loading } from "@/parts/States";
import { StatusBadge } from "@/parts/StatusBadge";

import { kindName } from "./kinds";
import { SelfTestForm } from "./SelfTestForm";

const POLL_MS = 3000;

export function SelfTests({ dataset }: { dataset: Dataset }) {
  const tests = useQuery({
    ...selfTestsQuery(dataset.id),
    // A test waits for two jobs after one another; the list says where it is.
    refetchInterval: (query) =>
      query.state.data?.items.some(({ status }) => !isDone(status)) ? POLL_MS : false,
  });
  const [asking, setAsking] = useState(false);
  const items = tests.data?.items ?? [];
  const mayStart = useMay(dataset.id)("run");
  if (tests.data && items.length === 0 && !mayStart) return null;
  return (
    <Card
      title="Self-test"
      aside={
        mayStart && (
          <button type="button" className="selftest-new" onClick={() => setAsking(true)}>
            <IconFlask size={14} aria-hidden /> New self-test
          </button>
        )
      }
      flush
    >
      <SelfTestForm dataset={dataset} opened={asking} onClose={() => setAsking(false)} />
      {tests.isError && <ErrorState error={tests.error} retry={() => void tests.refetch()} />}
      {tests.isPending && <Loading rows={1} />}
      {tests.data && items.length === 0 && (
        <p className="dim selftest-none">
          How well would an audit find wrong labels in these images? A self-test plants some in a copy, where
          they are known, audits it, and says how many it found. This dataset stays as it is.
        </p>
      )}
      <ul className="selftests">
        {items.map((test) => (
          <Row key={test.dataset_id} test={test} datasetId={dataset.id} />
        ))}
      </ul>
    </Card>
  );
}

/** A self-test is over when its run is, or when its dataset could not be made. */
const isDone = (status: string) => isFinal(status) && status !== "ready";

function Row({ test, datasetId }: { test: SelfTest; datasetId: string }) {
  const done = test.status === "succeeded";
  return (
    <li className="selftest">
      <div className="selftest-head">
        <strong>
          {percent(test.rate)} {kindName(test.kind)}
        </strong>
        <span className="faint">{test.recipe}</span>
        <StatusBadge status={test.status} />
        <span className="faint home-when selftest-when">{ago(test.created_at)}</span>
      </div>
      {done && test.planted != null && test.found != null && (
        <div
          className="selftest-found"
          role="img"
          aria-label={`${count(test.found)} of ${count(test.planted)} planted labels found`}
        >
          <div style={{ width: `${test.planted === 0 ? 0 : (test.found / test.planted) * 100}%` }} />
        </div>
      )}
      {done && test.words.length > 0 && (
        <ul className="selftest-words dim">
          {test.words.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      {!isDone(test.status) && <Live test={test} datasetId={datasetId} />}
      {test.run_id != null && (
        <Link to="/runs/$runId" params={{ runId: test.run_id }} className="selftest-run">
          {done ? "Look at its audit" : "Follow its audit"}
        </Link>
      )}
    </li>
  );
}

/** Where the test is: its copy is being made, or its audit runs. */
function Live({ test, datasetId }: { test: SelfTest; datasetId: string }) {
  const queries = useQueryClient();
  const run = useQuery({
    ...runQuery(test.run_id ?? ""),
    enabled: test.run_id != null,
    refetchInterval: POLL_MS,
  }).data;
  const over = run !== undefined && isFinal(run.status);
  useEffect(() => {
    if (over) void queries.invalidateQueries({ queryKey: selfTestsQuery(datasetId).queryKey });
  }, [over, queries, datasetId]);
  const fraction = run?.progress.fraction ?? 0;
  return (
    <div className="selftest-live">
      <div
        className="run-row-bar"
        role="progressbar"
        aria-valuenow={Math.round(fraction * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-label="Progress of the self-test"
      >
        <div style={{ width: `${fraction * 100}%` }} />
      </div>
      <span className="faint">
        {run ? run.progress.message || "waiting for a worker" : "planting the noise"}
      </span>
    </div>
  );
}
