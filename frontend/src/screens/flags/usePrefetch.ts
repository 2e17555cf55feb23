/** Has the next samples ready before one gets to them. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import type { Sample } from "@/api/client";
import { imageUrl, sample as sampleQuery } from "@/api/queries";

const AHEAD = 5;

/** Opening the sample asks again, and shows what went wrong. */
const ignore = () => undefined;

export function usePrefetch(runId: string, datasetId: string, items: Sample[], cursor: number | null): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (cursor === null) return;
    const at = items.findIndex(({ index }) => index === cursor);
    for (const { index } of items.slice(at + 1, at + 1 + AHEAD)) {
      queries.query(sampleQuery(runId, index)).catch(ignore);
      new Image().src = imageUrl(datasetId, index);
    }
  }, [queries, runId, datasetId, items, cursor]);
}
