/** Adjudications: shown at once in their place, sent one by one, the last one taken back by undo. */
import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useRef } from "react";

import { answer, client, type Schemas } from "@/api/client";
import { review as reviewQuery, type Reviewed } from "@/api/review";
import { newKey } from "@/decisions/queue";

export type Verdict = Schemas["DecisionItem"]["verdict"];
type Page = Schemas["ReviewedSamples"];
type State = Schemas["ReviewAnswer"];

interface Settled {
  sample: Reviewed;
  verdict: Verdict;
  label: number | null;
}

/** `page` is the key under which the samples that one looks at are kept. */
export function useAdjudications(datasetId: string, page: QueryKey) {
  const queries = useQueryClient();
  const done = useRef<Reviewed[]>([]);
  const state = reviewQuery(datasetId).queryKey;
  const show = (sample: Reviewed) =>
    queries.setQueryData<Page>(
      page,
      (now) => now && { ...now, items: now.items.map((one) => (one.index === sample.index ? sample : one)) },
    );
  const send = useMutation({
    mutationFn: ({ sample, verdict, label }: Settled) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/review/adjudications", {
          params: { path: { dataset_id: datasetId } },
          body: { items: [{ index: sample.index, verdict, label }], idempotency_key: newKey() },
        }),
      ),
    // One after the other: the counts that come last are the last ones.
    scope: { id: `adjudications ${datasetId}` },
    onMutate: ({ sample, verdict, label }) => {
      show({
        ...sample,
        adjudication:
          verdict === "cleared"
            ? null
            : { verdict, label, account: "you", decided_at: new Date().toISOString() },
      });
    },
    onError: (_, { sample }) => {
      show(sample);
      done.current = done.current.filter((one) => one !== sample);
    },
    onSuccess: ({ progress }) => queries.setQueryData<State>(state, (now) => now && { ...now, progress }),
  });
  return {
    error: send.error,
    settle: (sample: Reviewed, verdict: Verdict, label: number | null) => {
      done.current.push(sample);
      send.mutate({ sample, verdict, label });
    },
    undo: () => {
      const before = done.current.pop();
      if (!before) return;
      const { verdict = "cleared", label = null } = before.adjudication ?? {};
      send.mutate({ sample: before, verdict, label });
    },
  };
}

/** The classes that reviewers relabelled it to, each once, in the order in which they said so. */
export const relabelOf = ({ answers }: Pick<Reviewed, "answers">): number[] => [
  ...new Set(
    answers.flatMap(({ verdict, label }) => (verdict === "relabel" && label != null ? [label] : [])),
  ),
];
