/** What the evidence screens ask the server: figures, thresholds, classes, selections, comparisons, sign-off. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, client, type Sample, type Schemas } from "./client";
import { unpackPoints } from "@/parts/scatter/figure";

import { base64Of, bitmapOf } from "./bitmap";
import type { MapColour, SampleFilter, Theme } from "./queries";

export type Thresholds = Schemas["Thresholds"];
export type ThresholdRow = Schemas["ThresholdRow"];
export type ClassNoise = Schemas["ClassNoiseAnswer"];
export type Cell = Schemas["Cell"];
export type Comparison = Schemas["Comparison"];
export type SignOff = Schemas["SignOffAnswer"];
export type SelfTest = Schemas["SelfTestAnswer"];

const LONG = 5 * 60_000;

/** The loss figures of all epochs at once, so that the slider asks nothing; `newest` makes a growing run ask again. */
export const lossFigures = (run_id: string, newest: number, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "losses", newest, theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/losses", { params: { path: { run_id }, query: { theme } } }),
      ),
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const posteriorFigure = (run_id: string, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "posterior", theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/posterior", {
          params: { path: { run_id }, query: { theme } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const thresholds = (run_id: string) =>
  queryOptions({
    queryKey: ["thresholds", run_id],
    queryFn: () => answer(client.GET("/api/runs/{run_id}/thresholds", { params: { path: { run_id } } })),
    staleTime: LONG,
  });

export const classNoise = (run_id: string) =>
  queryOptions({
    queryKey: ["classes", run_id],
    queryFn: () => answer(client.GET("/api/runs/{run_id}/classes", { params: { path: { run_id } } })),
    placeholderData: keepPreviousData,
  });

export const classesFigure = (run_id: string, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "classes", theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/classes", { params: { path: { run_id }, query: { theme } } }),
      ),
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const matrixFigure = (run_id: string, diagonal: boolean, theme: Theme) =>
  queryOptions({
    queryKey: ["figure", run_id, "matrix", diagonal, theme],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/figures/matrix", {
          params: { path: { run_id }, query: { diagonal, theme } },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const comparison = (dataset_id: string, run: string[]) =>
  queryOptions({
    queryKey: ["compare", dataset_id, run],
    queryFn: () =>
      answer(
        client.GET("/api/datasets/{dataset_id}/compare", {
          params: { path: { dataset_id }, query: { run } },
        }),
      ),
    enabled: run.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const compareFigure = (dataset_id: string, run: string[], theme: Theme) =>
  queryOptions({
    queryKey: ["figure", dataset_id, "compare", run, theme],
    queryFn: () =>
      answer(
        client.GET("/api/datasets/{dataset_id}/figures/compare", {
          params: { path: { dataset_id }, query: { run, theme } },
        }),
      ),
    enabled: run.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: LONG,
  });

export const signOff = (run_id: string, size: number, seed: number) =>
  queryOptions({
    queryKey: ["sign-off", run_id, size, seed],
    queryFn: () =>
      answer(
        client.GET("/api/runs/{run_id}/sign-off", { params: { path: { run_id }, query: { size, seed } } }),
      ),
    placeholderData: keepPreviousData,
    // Decisions are taken elsewhere: coming back asks again.
    staleTime: 0,
  });

export const selfTests = (dataset_id: string) =>
  queryOptions({
    queryKey: ["self-tests", dataset_id],
    queryFn: () =>
      answer(client.GET("/api/datasets/{dataset_id}/self-tests", { params: { path: { dataset_id } } })),
  });

/** Above this many a bit per sample of the dataset is the shorter way to say which. */
const LISTED_AT_MOST = 2000;

/** Keeps ascending indices under an id that says what is in them. */
export const keepSelection = (run_id: string, indices: Uint32Array) =>
  answer(
    client.POST("/api/runs/{run_id}/selections", {
      params: { path: { run_id } },
      body:
        indices.length <= LISTED_AT_MOST
          ? { indices: Array.from(indices) }
          : { bitmap: base64Of(bitmapOf(indices)) },
    }),
  );

/** Places of all samples on the map and the group of each, for more of them than the figure draws. */
export const mapPoints = (run_id: string, colour: MapColour) =>
  queryOptions({
    queryKey: ["points", run_id, colour],
    queryFn: async () => {
      const buffer = await answer(
        client.GET("/api/runs/{run_id}/map/points", {
          params: { path: { run_id }, query: { colour } },
          parseAs: "arrayBuffer",
        }),
      );
      return unpackPoints(buffer);
    },
    staleTime: colour === "decision" ? 0 : LONG,
    // Five bytes a sample, compared byte by byte, would cost more than it saves.
    structuralSharing: false,
  });

/** The indices of all samples that match, as numbers packed four bytes each. */
export const matchingIndices = (run_id: string, filter: SampleFilter) =>
  queryOptions({
    queryKey: ["indices", run_id, filter],
    queryFn: async (): Promise<Uint32Array> => {
      const buffer = await answer(
        client.GET("/api/runs/{run_id}/samples/indices", {
          params: { path: { run_id }, query: filter },
          parseAs: "arrayBuffer",
        }),
      );
      return new Uint32Array(buffer);
    },
    staleTime: 60_000,
    structuralSharing: false,
  });

const PAGE = 500;

/** The rows of all samples that match, page after page; `told` hears how many are there already. */
export async function allSamples(
  run_id: string,
  filter: SampleFilter,
  told?: (so_far: number, total: number) => void,
): Promise<Sample[]> {
  const rows: Sample[] = [];
  let after: string | undefined;
  do {
    const query = { ...filter, limit: PAGE, after };
    const page = await answer(
      client.GET("/api/runs/{run_id}/samples", { params: { path: { run_id }, query } }),
    );
    rows.push(...page.items);
    after = page.next ?? undefined;
    told?.(rows.length, page.total);
  } while (after !== undefined);
  return rows;
}
