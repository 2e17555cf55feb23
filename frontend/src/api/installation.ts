/** What the installation uses, and what could be freed; for those who keep it. */
import { queryOptions } from "@tanstack/react-query";

import { answer, client, type Schemas } from "./client";

export type InstallationUse = Schemas["InstallationAnswer"];

export const installation = queryOptions({
  queryKey: ["installation"],
  queryFn: () => answer(client.GET("/api/installation")),
  staleTime: 10_000,
});
