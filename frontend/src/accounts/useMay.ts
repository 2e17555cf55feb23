/** What the one who is signed in may do; whatever a screen offers that changes something asks here first. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { session } from "@/api/queries";

import { members, type Operation } from "./queries";

export interface Rights {
  /** No as long as it is not known. */
  may: (operation: Operation) => boolean;
  /** Whether it is known that one may not, or cannot be found out: then a screen says so. */
  barred: (operation: Operation) => boolean;
}

/** With this dataset. */
export function useRights(datasetId: string | undefined): Rights {
  const { data, isError } = useQuery({ ...members(datasetId ?? ""), enabled: datasetId !== undefined });
  const operations = data?.may;
  return useMemo(
    () => ({
      may: (operation) => operations?.includes(operation) ?? false,
      barred: (operation) => (operations ? !operations.includes(operation) : isError),
    }),
    [operations, isError],
  );
}

export const useMay = (datasetId: string | undefined) => useRights(datasetId).may;

/** Where there is no dataset yet: whether the account's role lets data in. */
export function useMayBringData(): boolean {
  const role = useQuery(session).data?.role;
  return role === "admin" || role === "editor";
}
