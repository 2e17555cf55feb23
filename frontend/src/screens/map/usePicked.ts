/** What is picked on the map, as it stands in the address: a filter of the gallery, or a selection that is kept. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { keepSelection, matchingIndices } from "@/api/evidence";
import type { SampleFilter } from "@/api/queries";
import { asQuery, isFiltered, without, type FlagsSearch } from "@/screens/flags/filter";

export interface Picked {
  /** Ascending; null: nothing is picked, or it is still being fetched. */
  indices: Uint32Array | null;
  /** The gallery's address of the same samples; null until a drawn selection has been kept. */
  search: FlagsSearch | null;
  filter: SampleFilter | null;
  fetching: boolean;
  error: unknown;
  pick: (indices: Uint32Array) => void;
  filterBy: (search: FlagsSearch) => void;
  clear: () => void;
}

export function usePicked(runId: string, enabled: boolean): Picked {
  const { colour, picked, ...flags } = useSearch({ from: "/runs/$runId/map" });
  const search = without(flags);
  // Without any filter it must be said that something is picked: every flagged sample.
  const addressed = picked === true || isFiltered(search) || search.show === "all";
  const navigate = useNavigate();
  const queries = useQueryClient();
  // Drawn just now and not kept yet: shown at once, without waiting for its address.
  const [drawn, setDrawn] = useState<Uint32Array | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const turn = useRef(0);
  const filter = { ...asQuery(search), order: "index" as const };
  const asked = useQuery({ ...matchingIndices(runId, filter), enabled: enabled && addressed && !drawn });

  const go = (next: FlagsSearch | null) =>
    navigate({
      to: "/runs/$runId/map",
      params: { runId },
      search: {
        ...(colour && { colour }),
        ...(next && without(next)),
        ...(next && !isFiltered(next) && next.show !== "all" && { picked: true as const }),
      },
      resetScroll: false,
    });

  async function keep(indices: Uint32Array) {
    const mine = ++turn.current;
    setFailed(null);
    try {
      const { id } = await keepSelection(runId, indices);
      if (mine !== turn.current) return;
      const kept: FlagsSearch = { show: "all", selection: id };
      queries.setQueryData(matchingIndices(runId, { ...asQuery(kept), order: "index" }).queryKey, indices);
      await go(kept);
      if (mine === turn.current) setDrawn(null);
    } catch (error) {
      if (mine === turn.current) setFailed(error);
    }
  }
  const clear = () => {
    turn.current += 1;
    setDrawn(null);
    setFailed(null);
    void go(null);
  };
  return {
    indices: drawn ?? (addressed ? (asked.data ?? null) : null),
    search: drawn || !addressed ? null : search,
    filter: drawn || !addressed ? null : { ...asQuery(search), order: "posterior" },
    fetching: addressed && !drawn && asked.isPending,
    error: failed ?? (addressed ? asked.error : null),
    pick: (indices) => {
      if (indices.length === 0) {
        clear();
        return;
      }
      setDrawn(indices);
      void keep(indices);
    },
    filterBy: (next) => {
      turn.current += 1;
      setDrawn(null);
      void go(next);
    },
    clear,
  };
}
