/** Has the next pictures and the next samples ready before one gets to them. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { imageUrl, sample as sampleQuery } from "@/api/queries";
import { pagesAround } from "@/parts/atlas";
import type { Atlas } from "@/parts/useAtlas";

import { AHEAD } from "./useList";

const SAMPLES_AHEAD = 5;
/** Decoded images are held so long as these many later ones have not come. */
const HELD = 16;

/** Opening the sample asks again, and shows what went wrong. */
const ignore = () => undefined;

export function usePicturesAhead(atlas: Atlas, last: number, samples: number): void {
  useEffect(() => {
    for (const page of pagesAround(last, last, samples, AHEAD)) new Image().src = atlas.page(page).url;
  }, [atlas, last, samples]);
}

/** Details and decoded images of the samples that come after the open one, and of the one before. */
export function useSamplesAhead(runId: string, datasetId: string, order: Uint32Array, open: number | null) {
  const queries = useQueryClient();
  const held = useRef(new Map<number, HTMLImageElement>());
  useEffect(() => {
    if (open === null) return;
    const at = order.indexOf(open);
    if (at < 0) return;
    const after = order.subarray(at + 1, at + 1 + SAMPLES_AHEAD);
    const before = order.subarray(Math.max(0, at - 1), at);
    for (const index of [...after, ...before]) {
      queries.query(sampleQuery(runId, index)).catch(ignore);
      if (held.current.has(index)) continue;
      const image = new Image();
      image.src = imageUrl(datasetId, index);
      image.decode().catch(ignore);
      held.current.set(index, image);
    }
    for (const oldest of held.current.keys()) {
      if (held.current.size <= HELD) break;
      held.current.delete(oldest);
    }
  }, [queries, runId, datasetId, order, open]);
}
