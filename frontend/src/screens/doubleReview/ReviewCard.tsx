/** Whether reviewers decide blind: switched by the dataset's owner, told to everybody, and how far it is. */
import { Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { useMay } from "@/accounts/useMay";
import { answer, client, problemOf } from "@/api/client";
import { review as reviewQuery, type ReviewProgress } from "@/api/review";
import { ago, count, many } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";
import { Card } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";
import "@/accounts/accounts.css";
import "./doublereview.css";

export function ReviewCard({ datasetId }: { datasetId: string }) {
  const asked = useQuery(reviewQuery(datasetId));
  const owns = useMay(datasetId)("adjudicate");
  const queries = useQueryClient();
  const turn = useMutation({
    mutationFn: (blind: boolean) =>
      answer(
        client.PUT("/api/datasets/{dataset_id}/review", {
          params: { path: { dataset_id: datasetId } },
          body: { blind },
        }),
      ),
    // What stands is another thing now, everywhere.
    onSuccess: () => queries.invalidateQueries(),
  });
  const state = asked.data;
  if (!state || (!owns && !state.blind)) return null;
  return (
    <Card
      title="Double review"
      aside={state.blind && state.since ? `blind since ${ago(state.since)}` : undefined}
    >
      <div className="stack">
        {owns ? (
          <Switch
            label="Blind review"
            description={
              state.blind
                ? "Reviewers see their own decisions only. Switched off, the newest decision of each sample stands."
                : "Reviewers would see their own decisions only, so that two of them decide independently."
            }
            checked={state.blind}
            disabled={turn.isPending}
            onChange={(event) => turn.mutate(event.currentTarget.checked)}
          />
        ) : (
          <p className="double-says">
            You see your own decisions only: two reviewers decide independently. You have decided{" "}
            <b className="number">{many(state.own, "sample")}</b>.
          </p>
        )}
        {turn.isError && <ProblemNote problem={problemOf(turn.error)} />}
        {state.progress && <Progress datasetId={datasetId} progress={state.progress} />}
      </div>
    </Card>
  );
}

function Progress({ datasetId, progress }: { datasetId: string; progress: ReviewProgress }) {
  const lines = [
    ["Decided by one, wait for a second", progress.once],
    ["Agreed", progress.agreed],
    ["Disagree", progress.disagree],
    ["Adjudicated", progress.adjudicated],
  ] as const;
  return (
    <>
      <dl className="double-counts number">
        {lines.map(([name, number]) => (
          <div key={name}>
            <dt className="dim">{name}</dt>
            <dd>{count(number)}</dd>
          </div>
        ))}
      </dl>
      {progress.reviewers.length > 0 && (
        <p className="faint double-says">
          {progress.reviewers.map(({ name, decided }) => `${name} ${count(decided)}`).join(" · ")}
        </p>
      )}
      {progress.once + progress.agreed + progress.disagree + progress.adjudicated > 0 && (
        <LinkButton
          to="/datasets/$datasetId/adjudicate"
          params={{ datasetId }}
          size="xs"
          variant={progress.disagree > 0 ? "filled" : "default"}
        >
          {progress.disagree > 0
            ? `Settle ${many(progress.disagree, "disagreement")}`
            : "Look at the answers"}
        </LinkButton>
      )}
    </>
  );
}
