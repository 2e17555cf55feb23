/** What is known of a delivery, and what went wrong with looking at it. */
import { useQuery } from "@tanstack/react-query";

import { problemOf, type Problem } from "@/api/client";
import { begun, preflight, type Delivery, type Report, type Wish } from "@/api/preflights";

export interface Look {
  report: Report | null;
  problem: Problem | null;
  /** What is being done, while it is. */
  message: string;
}

export function usePreflight(delivery: Delivery | null, wish: Wish, append: boolean): Look {
  const made = useQuery(begun(delivery, wish, append));
  const seen = useQuery(preflight(made.data?.id));
  const state = seen.data ?? made.data;
  const error = made.error ?? seen.error;
  return {
    report: state?.report ?? null,
    problem: error ? problemOf(error) : (state?.error ?? null),
    message:
      state?.progress.message === undefined || state.progress.message === ""
        ? "Waiting for a worker"
        : state.progress.message,
  };
}
