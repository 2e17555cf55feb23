/** What the one who is signed in may do; whatever a screen offers that changes something asks here first. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";

import { session } from "@/api/queries";

import { members, type Operation } from "./queries";

/** With this dataset. What is not known yet is offered: the server has the last word. */
export function useMay(datasetId: string | undefined): (operation: Operation) => boolean {
  const asked = useQuery({ ...members(datasetId ?? ""), enabled: datasetId !== undefined });
  const may = asked.data?.may;
  return useCallback((operation) => may?.includes(operation) ?? true, [may]);
}

/** Where there is no dataset yet: whether the account's role lets data in. */
export function useMayBringData(): boolean {
  const role = useQuery(session).data?.role;
  return role === undefined || role === "admin" || role === "editor";
}
