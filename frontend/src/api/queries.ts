/** Every question the screens ask the server, with the key under which its answer is kept. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, ApiError, client, type Account, type Schemas } from "./client";
import type { operations } from "./schema";

export type SampleFilter = Omit<
  NonNullable<operations["list_samples"]["parameters"]["query"]>,
  "after" | "limit"
>;
export type MapColour = NonNullable<
  NonNullable<operations["embedding_map"]["parameters"]["query"]>["colour"]
>;
export type Theme = "light" | "dark";
export type Figure = Schemas["FigureAnswer"];
export type Unreviewed = Schemas["ExportPreview"]["unreviewed"];

const PAGE = 200;
/** Between two looks at a list that is on the screen: others, and the command line, begin audits and imports too. */
export const LIST_POLL_MS = 5000;

/** Who is signed in; null for nobody. */
export const session = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<Account | null> => {
    try {
      return await answer(client.GET("/api/session"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
});

export const system = queryOptions({
  queryKey: ["system"],
  queryFn: () => answer(client.GET("/api/system")),
  staleTime: 30_000,
});

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => answer(client.GET("/api/tokens")),
});

export const datasets = queryOptions({
  queryKey: ["datasets"],
  queryFn: () => answer(client.GET("/api/datasets")),
});

export const dataset = (dataset_id: string) =>
  queryOptions({
    queryKey: ["dataset", dataset_id],
    queryFn: () => answer(client.GET("/api/datasets/{dataset_id}", { params: { path: { dataset_id } } })),
  });

export const runs = (dataset_id?: string) =>
  queryOptions({
    queryKey: ["runs", dataset_id ?? "all"],
    queryFn: () => answer(client.GET("/api/runs", { params: { query: { dataset_id } } })),
  });

export const run = (run_id: string) =>
  queryOptions({
    queryKey: ["run", run_id],
    queryFn: () => answer(client.GET("/api/runs/{run_id}", { params: { path: { run_id } } })),
  });

export const epochs = (run_id: string) =>
  queryOptions({
    queryKey: ["epochs", run_id],
    queryFn: () => answer(client.GET("/api/runs/{run_id}/epochs", { params: { path: { run_id } } })),
    staleTime: 60_000,
  });

export const recipes = (dataset_id: string) =>
  queryOptions({
    queryKey: ["recipes", dataset_id],
    queryFn: () => answer(client.GET("/api/recipes", { params: { query: { dataset_id } } })),
    staleTime: Infinity,
  });

export const samples = (run_id: string, filter: SampleFilter) =>
  infiniteQueryOptions({
    queryKey: ["samples", run_id, filter],
    queryFn: ({ pageParam }) =>
      answer(
        client.GET("/api/runs/{run_id}/samples", {
          params: { path: { run_id }, query: { ...filter, limit: PAGE, after: pageParam ?? undefined } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
  });

/** The rows of these samples, in whatever order. */
export const sampleRows = (run_id: string, indices: number[]) =>
  queryOptions({
    queryKey: ["rows", run_id, indices],
    queryFn: async () => {
      const query = { indices, limit: Math.max(1, indices.length) };
      const page = await answer(
        client.GET("/api/runs/{run_id}/samples", { params: { path: { run_id }, query } }),
      );
      return page.items;
    },
    staleTime: 5 * 60_000,
    gcTime: 30 * 60_000,
    refetchOnWindowFocus: false,
  });

/** The splits in which the samples came, with how many are flagged; none where they came without. */
export const splits = (run_id: string) =>
  queryOptions({
    queryKey: ["splits", run_id],
    queryFn: () => answer(client.GET("/api/runs/{run_id}/splits", { params: { path: { run_id } } })),
    staleTime: 60_000,
  });

/** How many samples a kept selection holds. */
export const selectionSize = (run_id: string, selection: string) =>
  queryOptions({
    queryKey: ["selection-size", run_id, selection],
    queryFn: async () => {
      const query = { selection, limit: 1 };
      const page = await answer(
        client.GET("/api/runs/{run_id}/samples", { params: { path: { run_id }, query } }),
      );
      return page.total;
    },
    staleTime: Infinity,
  });

export const sample = (run_id: string, index: number) =>
  queryOptions({
    queryKey: ["sample", run_id, index],
    queryFn: () =>
      answer(client.GET("/api/runs/{run_id}/samples/{index}", { params: { path: { run_id, index } } })),
    staleTime: 5 * 60_000,
  });

export const lossFigure = (run_id: string, epoch: number | undefined, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "loss", epoch, theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/loss", {
          params: { path: { run_id }, query: { epoch, theme } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 5 * 60_000,
  });

export const mapFigure = (run_id: string, colour: MapColour, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "map", colour, theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/map", {
          params: { path: { run_id }, query: { colour, theme } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: colour === "decision" ? 0 : 5 * 60_000,
  });

/** How many flagged samples have no decision yet. */
export const unreviewed = (run_id: string) =>
  queryOptions({
    queryKey: ["unreviewed", run_id],
    queryFn: async () => {
      const query = { flagged: true, verdict: "none" as const, limit: 1 };
      const page = await answer(
        client.GET("/api/runs/{run_id}/samples", { params: { path: { run_id }, query } }),
      );
      return page.total;
    },
    placeholderData: keepPreviousData,
  });

export const exportPreview = (run_id: string, unreviewed: Unreviewed) =>
  queryOptions({
    queryKey: ["export-preview", run_id, unreviewed],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/exports/preview", {
          params: { path: { run_id }, query: { unreviewed } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });

export const exportsOffered = (run_id: string, unreviewed: Unreviewed) =>
  queryOptions({
    queryKey: ["exports", run_id, unreviewed],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/exports", {
          params: { path: { run_id }, query: { unreviewed } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });

export const thumbnailUrl = (datasetId: string, index: number) =>
  `/api/datasets/${datasetId}/samples/${index}/thumbnail`;

export const imageUrl = (datasetId: string, index: number) =>
  `/api/datasets/${datasetId}/samples/${index}/image`;

/** The rows of these very samples, most suspect first. */
export const samplesAt = (run_id: string, indices: number[]) =>
  queryOptions({
    queryKey: ["samples-at", run_id, indices],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/samples", {
          params: { path: { run_id }, query: { indices, limit: Math.max(1, indices.length) } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
