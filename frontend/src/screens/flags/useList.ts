/** The samples that match a filter: all their indices at once, their rows as one comes near them. */
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";

import type { Sample } from "@/api/client";
import { matchingIndices } from "@/api/evidence";
import { sampleRows, type SampleFilter } from "@/api/queries";
import { indicesOf, pageOf, pagesAround } from "@/parts/atlas";

const NONE = new Uint32Array();
/** Pages of rows and thumbnails that are fetched before one gets to them. */
export const AHEAD = 2;
/** The server answers so many rows at once. */
const AT_ONCE = 500;

export interface List {
  order: Uint32Array;
  /** How many match; null until that is known. */
  total: number | null;
  pending: boolean;
  error: unknown;
  retry: () => void;
  /** The row of a sample, if it is here already. */
  row: (index: number) => Sample | undefined;
  /** Says which positions of the order are in sight. */
  onSight: (first: number, last: number) => void;
  /** The rows of these samples, fetched where they are not here. */
  rows: (indices: readonly number[]) => Promise<Sample[]>;
}

export function useList(runId: string, filter: SampleFilter, cursor: number | null): List {
  const queries = useQueryClient();
  const asked = useQuery({
    ...matchingIndices(runId, filter),
    // Decisions are laid over the rows as they are made; asking again would only move what one looks at.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  const order = asked.data ?? NONE;
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const cursorAt = useMemo(() => (cursor === null ? -1 : order.indexOf(cursor)), [order, cursor]);

  const near = [
    ...pagesAround(sight.first, sight.last, order.length, AHEAD),
    ...(cursorAt < 0 ? [] : pagesAround(cursorAt, cursorAt, order.length, 1)),
  ];
  const wanted = [...new Set(near)].sort((a, b) => a - b);
  const here = useQueries({
    queries: wanted.map((page) => sampleRows(runId, indicesOf(order, page))),
    combine: byIndex,
  });

  const row = useCallback(
    (index: number): Sample | undefined => {
      const found = here.get(index);
      if (found) return found;
      const at = order.indexOf(index);
      if (at < 0) return undefined;
      const kept = queries.getQueryData(sampleRows(runId, indicesOf(order, pageOf(at))).queryKey);
      return kept?.find((sample) => sample.index === index);
    },
    [here, order, queries, runId],
  );
  const onSight = useCallback(
    (first: number, last: number) =>
      setSight((now) =>
        pageOf(now.first) === pageOf(first) && pageOf(now.last) === pageOf(last) ? now : { first, last },
      ),
    [],
  );
  const rows = useCallback(
    async (indices: readonly number[]) => {
      const missing = indices.filter((index) => row(index) === undefined);
      const fetched = new Map<number, Sample>();
      for (let from = 0; from < missing.length; from += AT_ONCE) {
        const part = await queries.query(sampleRows(runId, missing.slice(from, from + AT_ONCE)));
        for (const sample of part) fetched.set(sample.index, sample);
      }
      return indices
        .map((index) => row(index) ?? fetched.get(index))
        .filter((sample) => sample !== undefined);
    },
    [queries, row, runId],
  );
  const { refetch } = asked;
  return {
    order,
    total: asked.data ? order.length : null,
    pending: asked.isPending,
    error: asked.error,
    retry: useCallback(() => void refetch(), [refetch]),
    row,
    onSight,
    rows,
  };
}

function byIndex(pages: { data?: Sample[] | undefined }[]): ReadonlyMap<number, Sample> {
  return new Map(pages.flatMap(({ data }) => (data ?? []).map((sample) => [sample.index, sample] as const)));
}
