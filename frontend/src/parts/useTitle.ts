/** The browser tab's title: the screen, then what it is about; a tab among many is found by it. */
import { useDocumentTitle } from "@mantine/hooks";
import { useLocation } from "@tanstack/react-router";

import { titleOf } from "./title";

/** `name` of the dataset and the run's `percent` while it trains, where there are such. */
export function useTitle(name: string | undefined, percent: number | null): void {
  const { pathname } = useLocation();
  useDocumentTitle(titleOf(pathname, name, percent));
}
