/** A dataset's double review: blind or open, how far it is, what the reviewers said of each sample. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, client, type Schemas } from "./client";

export type ReviewProgress = Schemas["ReviewProgress"];
export type Reviewed = Schemas["ReviewedSample"];
export type ReviewStatus = Reviewed["status"];

export const review = (dataset_id: string) =>
  queryOptions({
    queryKey: ["review", dataset_id],
    queryFn: () =>
      answer(client.GET("/api/datasets/{dataset_id}/review", { params: { path: { dataset_id } } })),
  });

/** How far two reviewers agree; while the review is blind only for who may adjudicate. */
export const agreement = (dataset_id: string) =>
  queryOptions({
    queryKey: ["agreement", dataset_id],
    queryFn: () =>
      answer(
        client.GET("/api/datasets/{dataset_id}/decisions/agreement", { params: { path: { dataset_id } } }),
      ),
  });

export const reviewedSamples = (dataset_id: string, status: ReviewStatus, offset: number, limit: number) =>
  queryOptions({
    queryKey: ["review", dataset_id, "samples", status, offset],
    queryFn: () =>
      answer(
        client.GET("/api/datasets/{dataset_id}/review/samples", {
          params: { path: { dataset_id }, query: { status, offset, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
    // What is settled stays in its place until one comes again.
    staleTime: 60_000,
  });
