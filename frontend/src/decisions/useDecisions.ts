/** The decision queue of a dataset for React: what stands, and what can be done with it. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useSyncExternalStore } from "react";

import { answer, ApiError, client, type Sample } from "@/api/client";

import { DecisionQueue, Refused, type Change, type Entry, type Standing } from "./queue";
import type { Verdict } from "./verdicts";

const queues = new Map<string, DecisionQueue>();

function queueOf(datasetId: string): DecisionQueue {
  const existing = queues.get(datasetId);
  if (existing) return existing;
  const storageKey = `noise-audit.decisions.${datasetId}`;
  const queue = new DecisionQueue((entry) => post(datasetId, entry), {
    // Per tab: two tabs never send each other's decisions.
    read: () => sessionStorage.getItem(storageKey),
    write: (text) => sessionStorage.setItem(storageKey, text),
  });
  queues.set(datasetId, queue);
  return queue;
}

/** The server takes so many decisions at once. */
const AT_ONCE = 5000;

async function post(datasetId: string, entry: Entry): Promise<void> {
  const items = entry.changes.map(({ index, after }) =>
    after === null ? { index, verdict: "cleared" as const } : { index, ...after },
  );
  try {
    for (let from = 0; from < items.length; from += AT_ONCE) {
      await answer(
        client.POST("/api/datasets/{dataset_id}/decisions", {
          params: { path: { dataset_id: datasetId } },
          body: {
            items: items.slice(from, from + AT_ONCE),
            run_id: entry.runId,
            idempotency_key: from === 0 ? entry.key : `${entry.key}-${from}`,
          },
        }),
      );
    }
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    // 401 is mended by signing in again, 429 and 5xx by waiting: the decision stays in the queue.
    if (status >= 400 && status < 500 && status !== 401 && status !== 429) {
      throw new Refused(error instanceof Error ? error.message : "refused", { cause: error });
    }
    throw error;
  }
}

/** What the server said of a sample's decision, as a standing. */
export function standingOf(sample: Pick<Sample, "decision">): Standing {
  const { decision } = sample;
  if (!decision || decision.verdict === "cleared") return null;
  return { verdict: decision.verdict, label: decision.label ?? null };
}

type Decidable = Pick<Sample, "index" | "decision" | "given_label" | "suggested_label">;

/** The standing that a verdict gives a sample; a relabelling without a label takes the suggestion. */
export function verdictFor(sample: Decidable, verdict: Verdict, label?: number): Standing {
  if (verdict !== "relabel") return { verdict, label: null };
  const target = label ?? sample.suggested_label;
  // To relabel to what is given already is to keep it.
  return target === sample.given_label ? { verdict: "keep", label: null } : { verdict, label: target };
}

export interface Decisions extends ReturnType<DecisionQueue["snapshot"]> {
  standing: (sample: Decidable) => Standing;
  /** Decide samples; answers how many changed. */
  decide: (samples: Decidable[], verdict: Verdict | null, label?: number) => number;
  undo: () => Change[] | null;
  redo: () => Change[] | null;
  dismissRefusal: () => void;
}

export function useDecisions(datasetId: string, runId: string): Decisions {
  const queue = queueOf(datasetId);
  const queries = useQueryClient();
  const state = useSyncExternalStore(queue.subscribe, queue.snapshot);
  useEffect(() => {
    if (state.pending > 0) return;
    void queries.invalidateQueries({ queryKey: ["export-preview"] });
    void queries.invalidateQueries({ queryKey: ["unreviewed"] });
    void queries.invalidateQueries({ queryKey: ["dataset", datasetId] });
  }, [state.pending, queries, datasetId]);

  const standing = useCallback(
    (sample: Decidable) => queue.standing(sample.index, standingOf(sample)),
    // The overlay is what standing() reads; a new one must make a new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [queue, state.overlay],
  );
  const decide = useCallback(
    (samples: Decidable[], verdict: Verdict | null, label?: number) =>
      queue.decide(
        samples.map((sample) => ({
          index: sample.index,
          before: queue.standing(sample.index, standingOf(sample)),
          after: verdict === null ? null : verdictFor(sample, verdict, label),
        })),
        runId,
      ),
    [queue, runId],
  );
  return {
    ...state,
    standing,
    decide,
    undo: () => queue.undo(),
    redo: () => queue.redo(),
    dismissRefusal: queue.dismissRefusal,
  };
}
