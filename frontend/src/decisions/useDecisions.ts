/** The decision queue of a dataset for React: what stands, and what can be done with it. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useSyncExternalStore } from "react";

import { useRights } from "@/accounts/useMay";
import type { Sample } from "@/api/client";

import type { Handlers } from "@/keys/useKeys";

import type { QueueState } from "./queue";
import { queueOf, standingFrom } from "./queues";
import type { Change, Standing } from "./standing";
import type { Verdict } from "./verdicts";

type Decidable = Pick<Sample, "index" | "decision" | "given_label" | "suggested_label">;

/** The standing that a verdict gives a sample; a relabelling without a label takes the suggestion. */
export function verdictFor(sample: Decidable, verdict: Verdict, label?: number): Standing {
  if (verdict !== "relabel") return { verdict, label: null };
  const target = label ?? sample.suggested_label;
  // To relabel to what is given already is to keep it.
  return target === sample.given_label ? { verdict: "keep", label: null } : { verdict, label: target };
}

export interface Decisions extends QueueState {
  /** Whether the one who is signed in may decide here; otherwise nothing below changes anything. */
  allowed: boolean;
  /** Whether it is known that one may not. */
  barred: boolean;
  standing: (sample: Decidable) => Standing;
  /** Decide samples (null takes decisions back); answers how many changed. */
  decide: (samples: Decidable[], verdict: Verdict | null, label?: number) => number;
  /** The same, answering what changed. */
  change: (samples: Decidable[], verdict: Verdict | null, label?: number) => Change[];
  undo: () => Change[] | null;
  redo: () => Change[] | null;
  dismissRefusal: () => void;
}

/** The keys that take back and do again, where one may decide at all. */
export const undoKeys = ({ allowed, undo, redo }: Decisions): Handlers =>
  allowed ? { undo: () => void undo(), redo: () => void redo() } : {};

const known = new WeakMap<object, Standing>();

/** The same answer of the server is the same object each time, so that tiles need not be drawn anew. */
function served(decision: Sample["decision"]): Standing {
  if (!decision) return null;
  const standing = known.get(decision) ?? standingFrom(decision);
  known.set(decision, standing);
  return standing;
}

/** Counts on the screen follow once decisions rest for so long, in milliseconds. */
const SETTLED_MS = 250;

/** Without a run the decisions are made on the dataset itself. */
export function useDecisions(datasetId: string, runId: string | null): Decisions {
  const { queue, onHeard } = queueOf(datasetId);
  const { may, barred } = useRights(datasetId);
  const allowed = may("decide");
  const queries = useQueryClient();
  const state = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const recount = useCallback(() => {
    for (const counted of [["export-preview"], ["unreviewed"], ["dataset", datasetId]])
      void queries.invalidateQueries({ queryKey: counted });
  }, [queries, datasetId]);
  useEffect(() => {
    if (state.pending > 0) return;
    const timer = setTimeout(recount, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [state.pending, state.overlay, recount]);
  useEffect(() => {
    onHeard.add(recount);
    return () => {
      onHeard.delete(recount);
    };
  }, [onHeard, recount]);

  const standing = useCallback(
    (sample: Decidable) => queue.standing(sample.index, served(sample.decision)),
    // The overlay is what standing() reads; a new one must make a new function.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [queue, state.overlay],
  );
  const change = useCallback(
    (samples: Decidable[], verdict: Verdict | null, label?: number) =>
      allowed
        ? queue.decide(
            samples.map((sample) => ({
              index: sample.index,
              before: queue.standing(sample.index, standingFrom(sample.decision)),
              after: verdict === null ? null : verdictFor(sample, verdict, label),
            })),
            runId,
          )
        : [],
    [queue, runId, allowed],
  );
  return {
    ...state,
    allowed,
    barred: barred("decide"),
    standing,
    change,
    decide: (...what) => change(...what).length,
    undo: () => (allowed ? queue.undo() : null),
    redo: () => (allowed ? queue.redo() : null),
    dismissRefusal: queue.dismissRefusal,
  };
}
