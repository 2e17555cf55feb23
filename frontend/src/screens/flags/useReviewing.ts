/** Cursor, selection and keys of the gallery: what a verdict applies to, and where one goes next. */
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type RefObject } from "react";

import type { Sample } from "@/api/client";
import { sample as sampleQuery } from "@/api/queries";
import type { Change } from "@/decisions/queue";
import type { Decisions } from "@/decisions/useDecisions";
import { VERDICTS, type Verdict } from "@/decisions/verdicts";
import { useKeys, type Handlers } from "@/keys/useKeys";
import { many } from "@/parts/format";

import { extend, NOTHING, step, toggle } from "./selection";

interface Given {
  runId: string;
  items: Sample[];
  /** The open sample, if one is. */
  open: number | null;
  columns: RefObject<number>;
  decisions: Decisions;
  go: (index: number | null, replace?: boolean) => void;
  onZoom: () => void;
  onFilter: () => void;
}

const LIKELY_KEYS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export function useReviewing({ runId, items, open, columns, decisions, go, onZoom, onFilter }: Given) {
  const queries = useQueryClient();
  const [resting, setResting] = useState<number | null>(null);
  const [selection, setSelection] = useState(NOTHING);
  const [picking, setPicking] = useState<"open" | "selection" | null>(null);
  const cursor = open ?? resting;
  const order = items.map(({ index }) => index);
  const selected = selection.chosen;

  const sampleAt = (index: number | null): Sample | undefined =>
    index === null
      ? undefined
      : (items.find((item) => item.index === index) ??
        queries.getQueryData(sampleQuery(runId, index).queryKey));

  function move(by: number) {
    const next = step(order, cursor, by);
    if (next === null) return;
    setResting(next);
    if (open !== null) go(next, true);
  }

  function decideOne(sample: Sample, verdict: Verdict | null, label?: number) {
    decisions.decide([sample], verdict, label);
    // After a verdict the next one is what one wants to see; the last stays.
    if (verdict !== null) move(1);
  }

  function decideSelected(verdict: Verdict, label?: number) {
    const chosen = items.filter(({ index }) => selected.has(index));
    const changed = decisions.decide(chosen, verdict, label);
    setSelection(NOTHING);
    notifications.show({
      message: `${many(changed, "sample")} ${VERDICTS[verdict].past}${changed < chosen.length ? `; ${chosen.length - changed} were already` : ""}. Z takes it back.`,
    });
  }

  /** A key's verdict: for the open sample, else for the selection, else for the one under the cursor. */
  function decide(verdict: Verdict | null, label?: number) {
    if (open === null && selected.size > 0 && verdict !== null) {
      decideSelected(verdict, label);
      return;
    }
    const sample = sampleAt(cursor);
    if (sample) decideOne(sample, verdict, label);
  }

  function decideLikely(n: number) {
    if (cursor === null) return;
    const label = queries.getQueryData(sampleQuery(runId, cursor).queryKey)?.likely[n - 1]?.label;
    const sample = sampleAt(cursor);
    if (label !== undefined && sample)
      decideOne(sample, label === sample.given_label ? "keep" : "relabel", label);
  }

  function tell(changes: Change[] | null, done: string) {
    if (!changes) return;
    const [first] = changes;
    if (changes.length === 1 && first && order.includes(first.index)) {
      setResting(first.index);
      if (open !== null) go(first.index, true);
    } else {
      notifications.show({ message: `${done}: ${many(changes.length, "sample")}.` });
    }
  }

  const handlers: Handlers = {
    keep: () => decide("keep"),
    remove: () => decide("remove"),
    unsure: () => decide("unsure"),
    accept: () => decide("relabel"),
    clear: () => decide(null),
    relabel: () =>
      setPicking(open === null && selected.size > 0 ? "selection" : cursor === null ? null : "open"),
    undo: () => tell(decisions.undo(), "Undone"),
    redo: () => tell(decisions.redo(), "Done again"),
    next: () => move(1),
    previous: () => move(-1),
    down: () => move(columns.current),
    up: () => move(-columns.current),
    zoom: () => (open === null ? cursor !== null && go(cursor) : onZoom()),
    select: () => cursor !== null && setSelection((now) => toggle(now, cursor)),
    close: () => {
      if (open !== null) {
        setResting(open);
        go(null);
      } else setSelection(NOTHING);
    },
    filter: onFilter,
    ...Object.fromEntries(LIKELY_KEYS.map((n) => [`likely${n}`, () => decideLikely(n)])),
  };
  useKeys(handlers);

  return {
    cursor,
    selected,
    picking,
    setPicking,
    decideOne,
    decideSelected,
    select: (sample: Sample, range: boolean) => {
      setResting(sample.index);
      setSelection((now) => (range ? extend(now, sample.index, order) : toggle(now, sample.index)));
    },
    selectAll: (indices: number[]) => setSelection({ chosen: new Set(indices), anchor: null }),
    clearSelection: () => setSelection(NOTHING),
    pick: (label: number) => {
      setPicking(null);
      const sample = sampleAt(cursor);
      if (picking === "selection") decideSelected("relabel", label);
      else if (sample) decideOne(sample, "relabel", label);
    },
  };
}
