/** What the server says of accounts: who is signed in where, who may do what, who did what. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { answer, client, type Schemas } from "@/api/client";

export type AccountRole = Schemas["KeptAccount"]["role"];
export type DatasetRole = Schemas["MemberAnswer"]["role"];
export type Operation = Schemas["MemberList"]["may"][number];
export type Deed = Schemas["Deed"];

const PAGE = 25;

export const sessions = queryOptions({
  queryKey: ["sessions"],
  queryFn: () => answer(client.GET("/api/sessions")),
});

export const accounts = queryOptions({
  queryKey: ["accounts"],
  queryFn: () => answer(client.GET("/api/accounts")),
});

export const members = (dataset_id: string) =>
  queryOptions({
    queryKey: ["members", dataset_id],
    queryFn: () =>
      answer(client.GET("/api/datasets/{dataset_id}/members", { params: { path: { dataset_id } } })),
  });

/** Of one dataset, or of the whole installation (for admins). */
export const activity = (dataset_id?: string) =>
  infiniteQueryOptions({
    queryKey: ["activity", dataset_id ?? "all"],
    queryFn: ({ pageParam }) => {
      const query = { limit: PAGE, before: pageParam ?? undefined };
      return dataset_id === undefined
        ? answer(client.GET("/api/activity", { params: { query } }))
        : answer(
            client.GET("/api/datasets/{dataset_id}/activity", { params: { path: { dataset_id }, query } }),
          );
    },
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next ?? undefined,
  });
