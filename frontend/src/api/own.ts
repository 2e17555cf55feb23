/** What people bring to a dataset besides images: annotators' labels, duplicates found, decisions from a file. */
import { keepPreviousData, queryOptions, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { answer, client, type Run, type Schemas } from "./client";
import { keepSelection } from "./evidence";
import { runs } from "./queries";

export type Annotations = Schemas["AnnotationsAnswer"];

export const annotations = (dataset_id: string) =>
  queryOptions({
    queryKey: ["annotations", dataset_id],
    queryFn: () =>
      answer(client.GET("/api/datasets/{dataset_id}/annotations", { params: { path: { dataset_id } } })),
  });

export const difference = (dataset_id: string, limit: number) =>
  queryOptions({
    queryKey: ["difference", dataset_id, limit],
    queryFn: () =>
      answer(
        client.GET("/api/datasets/{dataset_id}/difference", {
          params: { path: { dataset_id }, query: { limit } },
        }),
      ),
    staleTime: Infinity,
  });

export type Duplicates = Schemas["DuplicatesAnswer"];
export type DuplicateGroup = Schemas["DuplicateGroup"];
export type DuplicateMember = Schemas["DuplicateMember"];
export interface DuplicateFilter {
  exact?: boolean;
  different_labels?: boolean;
  across_splits?: boolean;
}

const SEARCH_POLL_MS = 1500;
const MOST_GROUPS = 200;

const duplicatesPage = (dataset_id: string, filter: DuplicateFilter, offset: number, limit: number) =>
  answer(
    client.GET("/api/datasets/{dataset_id}/duplicates", {
      params: { path: { dataset_id }, query: { ...filter, offset, limit } },
    }),
  );

export const duplicates = (dataset_id: string, filter: DuplicateFilter, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["duplicates", dataset_id, filter, offset, limit],
    queryFn: () => duplicatesPage(dataset_id, filter, offset, limit),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.status === "searching" ? SEARCH_POLL_MS : false),
  });

/** Every group that matches, page after page. */
export async function everyDuplicate(dataset_id: string, filter: DuplicateFilter): Promise<DuplicateGroup[]> {
  const groups: DuplicateGroup[] = [];
  for (;;) {
    const page = await duplicatesPage(dataset_id, filter, groups.length, MOST_GROUPS);
    groups.push(...page.items);
    if (page.items.length === 0 || groups.length >= page.total) return groups;
  }
}

/** Sample indices that the server answers as bytes. */
export async function indicesAt(address: string): Promise<Uint32Array> {
  const response = await fetch(address);
  if (!response.ok) return answer(Promise.resolve({ error: (await response.json()) as unknown, response }));
  return new Uint32Array(await response.arrayBuffer());
}

/** Opens the gallery of the newest finished run with exactly these samples; no run, no gallery. */
export function useOpenInGallery(datasetId: string) {
  const navigate = useNavigate();
  const newest: Run | undefined = useQuery(runs(datasetId)).data?.items.find(
    ({ status }) => status === "succeeded",
  );
  const opening = useMutation({
    mutationFn: async ({ of, indices }: { of: Run; indices: Uint32Array }) => {
      const { id } = await keepSelection(of.id, indices);
      await navigate({
        to: "/runs/$runId/flags",
        params: { runId: of.id },
        search: { show: "all", selection: id },
      });
    },
  });
  return {
    possible: newest !== undefined,
    pending: opening.isPending,
    error: opening.error,
    open: (indices: Uint32Array) => newest && opening.mutate({ of: newest, indices }),
  };
}
