/** Server-sent events of a run and of an import, written into the query cache as they come. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import type { Dataset, Epoch, Run, Schemas } from "./client";
import { dataset, datasets, epochs, run, runs } from "./queries";

export type Connection = "connecting" | "open" | "lost" | "ended";

const FINAL = new Set(["succeeded", "failed", "cancelled", "ready"]);

/** Whether nothing further will happen to a run or an import with this status. */
export const isFinal = (status: string) => FINAL.has(status);

/** The epochs with one more, by epoch number, so that an event delivered twice changes nothing. */
export function withEpoch(items: readonly Epoch[], added: Epoch): Epoch[] {
  const kept = items.filter((item) => item.epoch !== added.epoch);
  return [...kept, added].sort((a, b) => a.epoch - b.epoch);
}

type Handlers = Record<string, (data: string, close: () => void) => void>;

function useEvents(url: string | null, handlers: Handlers): Connection {
  const [connection, setConnection] = useState<Connection>("connecting");
  useEffect(() => {
    if (url === null) return;
    // The browser reconnects by itself and says the last event's id; that is all the resuming there is.
    const source = new EventSource(url);
    const close = () => {
      source.close();
      setConnection("ended");
    };
    source.onopen = () => setConnection("open");
    source.onerror = () => setConnection("lost");
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event: MessageEvent<string>) => handle(event.data, close));
    }
    return () => source.close();
    // The handlers of one address never change; they only close over the query client.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [url]);
  return url === null ? "ended" : connection;
}

/** Follow a run while `live`; answers how the connection is. */
export function useRunEvents(runId: string, live: boolean): Connection {
  const queries = useQueryClient();
  return useEvents(live ? `/api/runs/${runId}/events` : null, {
    run: (data, close) => {
      const changed = JSON.parse(data) as Run;
      queries.setQueryData(run(runId).queryKey, changed);
      if (isFinal(changed.status)) {
        close();
        void queries.invalidateQueries({ queryKey: runs().queryKey.slice(0, 1) });
        void queries.invalidateQueries({ queryKey: run(runId).queryKey });
      }
    },
    epoch: (data) => {
      const added = JSON.parse(data) as Epoch;
      queries.setQueryData(epochs(runId).queryKey, (before: Schemas["EpochList"] | undefined) => ({
        items: withEpoch(before?.items ?? [], added),
      }));
    },
  });
}

/** Follow a dataset's import while `live`. */
export function useDatasetEvents(datasetId: string, live: boolean): Connection {
  const queries = useQueryClient();
  return useEvents(live ? `/api/datasets/${datasetId}/events` : null, {
    dataset: (data, close) => {
      const changed = JSON.parse(data) as Dataset;
      queries.setQueryData(dataset(datasetId).queryKey, changed);
      if (isFinal(changed.status)) {
        close();
        void queries.invalidateQueries({ queryKey: datasets.queryKey });
      }
    },
  });
}
