/** One decision queue per dataset and tab: its way to the server, to this tab's storage, and to the other tabs. */
import { answer, ApiError, client } from "@/api/client";

import { DecisionQueue, DEPTH, Refused } from "./queue";
import { historyOf, type Change, type Entry, type Standing } from "./standing";

/** What tabs say to each other: what was changed, or only that all of it has reached the server. */
interface Told {
  changes: Change[];
}

interface Open {
  queue: DecisionQueue;
  /** Called when another tab has changed something, once it is on the server. */
  onHeard: Set<() => void>;
}

const open = new Map<string, Open>();

export function queueOf(datasetId: string): Open {
  const existing = open.get(datasetId);
  if (existing) return existing;
  const others = new BroadcastChannel(`noise-audit.decisions.${datasetId}`);
  const say = (changes: Change[]) => others.postMessage({ changes } satisfies Told);
  const queue = new DecisionQueue(
    async (entry) => {
      await post(datasetId, entry);
      say([]);
    },
    storage(`noise-audit.decisions.${datasetId}`),
    { tell: say },
  );
  const made: Open = { queue, onHeard: new Set() };
  others.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.changes.length > 0) queue.hear(data.changes);
    else for (const listener of made.onHeard) listener();
  };
  open.set(datasetId, made);
  if (queue.isBlank()) void recall(datasetId, queue);
  return made;
}

/** Per tab: two tabs never send each other's decisions. */
function storage(name: string) {
  return {
    read: () => sessionStorage.getItem(name),
    write: (text: string) => {
      try {
        sessionStorage.setItem(name, text);
      } catch (error) {
        // A full storage: what is decided goes on to the server all the same.
        if (!(error instanceof DOMException)) throw error;
        sessionStorage.removeItem(name);
      }
    },
  };
}

/** What this account decided in other tabs and browsers before, so that it can be undone here. */
async function recall(datasetId: string, queue: DecisionQueue): Promise<void> {
  try {
    const params = { path: { dataset_id: datasetId }, query: { limit: DEPTH.entries } };
    const { items } = await answer(client.GET("/api/datasets/{dataset_id}/decisions/recent", { params }));
    queue.recallFrom(
      historyOf(
        items.map(({ idempotency_key, run_id, changes }) => ({
          key: idempotency_key,
          runId: run_id,
          changes: changes.map(({ index, before, after }) => ({
            index,
            before: standingFrom(before),
            after: standingFrom(after),
          })),
        })),
      ),
    );
  } catch (error) {
    // Without an answer there is nothing older to undo; the next load asks again.
    if (!(error instanceof ApiError)) throw error;
  }
}

interface Answered {
  verdict: "keep" | "relabel" | "remove" | "unsure" | "cleared";
  label?: number | null;
}

/** A decision as the server says it, as a standing. */
export function standingFrom(decision: Answered | null | undefined): Standing {
  if (!decision || decision.verdict === "cleared") return null;
  return { verdict: decision.verdict, label: decision.label ?? null };
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
