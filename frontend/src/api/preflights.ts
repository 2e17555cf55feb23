/** A look at a delivery before it is imported: asked for once per wish, then awaited. */
import { queryOptions } from "@tanstack/react-query";

import { answer, client, type Dataset, type Schemas } from "./client";

export type Preflight = Schemas["PreflightAnswer"];
export type Report = Schemas["PreflightReport"];
export type Format = NonNullable<Schemas["PreflightCreate"]["format"]>;
export type Columns = NonNullable<Schemas["PreflightCreate"]["columns"]>;
export type ColumnUse = "image" | "label" | "true_label" | "split" | "annotators";

/** A finished upload, or a folder on the server. */
export type Delivery = { upload_id: string; digest: string | null } | { server_folder: string };

/** The dataset that the delivery is added to; null makes one of its own. */
export type Into = Dataset | null;

export interface Wish {
  format: Format;
  columns: Columns;
}

const POLL_MS = 400;

/** The look itself; `null` while there is nothing to look at. */
export const begun = (delivery: Delivery | null, wish: Wish, append: boolean) =>
  queryOptions({
    queryKey: ["preflight", "begun", delivery, wish, append],
    queryFn: () => answer(client.POST("/api/preflights", { body: { ...delivery, ...wish, append } })),
    enabled: delivery !== null,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });

/** How it stands; asked again until it has ended. */
export const preflight = (preflight_id: string | undefined) =>
  queryOptions({
    queryKey: ["preflight", preflight_id],
    queryFn: () =>
      answer(
        client.GET("/api/preflights/{preflight_id}", {
          params: { path: { preflight_id: preflight_id ?? "" } },
        }),
      ),
    enabled: preflight_id !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.status !== "looking" ? false : POLL_MS),
    gcTime: 0,
  });

/** What could follow a path on the server that somebody is typing. */
export const serverFolders = (path: string) =>
  queryOptions({
    queryKey: ["server-folders", path],
    queryFn: () => answer(client.GET("/api/server-folders", { params: { query: { path } } })),
    staleTime: 10_000,
  });
