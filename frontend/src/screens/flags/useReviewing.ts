/** Cursor, selection and keys of the gallery: what a verdict applies to, and where one goes next. */
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState, type RefObject } from "react";

import { problemOf, type Sample } from "@/api/client";
import { sample as sampleQuery } from "@/api/queries";
import { changedWords } from "@/decisions/changed";
import type { Change } from "@/decisions/standing";
import type { Decisions } from "@/decisions/useDecisions";
import type { Verdict } from "@/decisions/verdicts";
import { useKeyOf } from "@/keys/choices";
import { useKeys, type Handlers } from "@/keys/useKeys";
import { count, many } from "@/parts/format";

import { extend, NOTHING, step, toggle } from "./selection";
import type { List } from "./useList";

interface Given {
  runId: string;
  list: List;
  /** The open sample, if one is. */
  open: number | null;
  /** The cursor of the grid; while a sample is open, the last one of the list that was. */
  resting: number | null;
  setResting: (index: number | null) => void;
  columns: RefObject<number>;
  decisions: Decisions;
  go: (index: number | null, replace?: boolean) => void;
  onZoom: () => void;
  onFilter: () => void;
  onNeighbours: () => void;
}

/** As many as the server remembers for undo. */
export const MOST_AT_ONCE = 20_000;
const LIKELY_KEYS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export function useReviewing(given: Given) {
  const { runId, list, open, resting, setResting, columns, decisions, go } = given;
  const queries = useQueryClient();
  const [selection, setSelection] = useState(NOTHING);
  const [picking, setPicking] = useState<"open" | "selection" | null>(null);
  const [busy, setBusy] = useState(false);
  const undoKey = useKeyOf("undo")?.join(" ");
  const cursor = open ?? resting;
  const { order } = list;
  const selected = selection.chosen;
  const listed = (index: number | null): index is number => index !== null && order.includes(index);

  const sampleAt = (index: number | null): Sample | undefined =>
    index === null
      ? undefined
      : (list.row(index) ?? queries.getQueryData(sampleQuery(runId, index).queryKey));

  function show(index: number) {
    setResting(index);
    if (open !== null) go(index, true);
  }

  function move(by: number) {
    const next = step(order, listed(cursor) ? cursor : resting, by);
    if (next !== null) show(next);
  }

  function decideOne(sample: Sample, verdict: Verdict | null, label?: number) {
    decisions.decide([sample], verdict, label);
    // After a verdict the next one is what one wants to see; the last stays.
    if (verdict === null) return;
    if (listed(sample.index)) move(1);
    // It was opened from another one, which still waits.
    else if (resting !== null) show(resting);
  }

  async function decideSelected(verdict: Verdict, label?: number) {
    const chosen = [...selected];
    if (busy || chosen.length > MOST_AT_ONCE) return;
    setBusy(true);
    try {
      const samples = await list.rows(chosen);
      const changes = decisions.change(samples, verdict, label);
      setSelection(NOTHING);
      notifications.show({
        message: `${changedWords(changes, samples.length)}.${takesBack(changes, undoKey)}`,
      });
    } catch (error) {
      notifications.show({ color: "red", message: `Nothing was changed. ${problemOf(error).message}` });
    } finally {
      setBusy(false);
    }
  }

  /** A key's verdict: for the open sample, else for the selection, else for the one under the cursor. */
  function decide(verdict: Verdict | null, label?: number) {
    if (open === null && selected.size > 0) {
      if (verdict !== null) void decideSelected(verdict, label);
      return;
    }
    const sample = sampleAt(cursor);
    if (sample) decideOne(sample, verdict, label);
  }

  function decideLikely(n: number) {
    if (cursor === null) return;
    const label = queries.getQueryData(sampleQuery(runId, cursor).queryKey)?.likely[n - 1]?.label;
    const sample = sampleAt(cursor);
    if (label !== undefined && sample) decideOne(sample, "relabel", label);
  }

  function tell(changes: Change[] | null, done: string) {
    const [first] = changes ?? [];
    if (!changes)
      notifications.show({ message: done === "Undone" ? "Nothing to undo." : "Nothing to redo." });
    else if (!first) notifications.show({ message: "It was decided anew elsewhere since then, and stays." });
    else if (changes.length === 1 && listed(first.index)) show(first.index);
    else notifications.show({ message: `${done}: ${many(changes.length, "sample")}.` });
  }

  function close() {
    if (open === null) setSelection(NOTHING);
    else {
      if (listed(open)) setResting(open);
      go(null);
    }
  }

  const select = useCallback(
    (index: number, range: boolean) => {
      setResting(index);
      setSelection((now) => (range ? extend(now, index, order) : toggle(now, index)));
    },
    [order, setResting],
  );
  const selectAll = () => setSelection({ chosen: new Set(order), anchor: null });
  const selecting: Handlers = {
    select: () => cursor !== null && select(cursor, false),
    selectTo: () => cursor !== null && select(cursor, true),
    selectAll,
  };
  const deciding: Handlers = {
    keep: () => decide("keep"),
    remove: () => decide("remove"),
    unsure: () => decide("unsure"),
    accept: () => decide("relabel"),
    clear: () => decide(null),
    relabel: () =>
      setPicking(open === null && selected.size > 0 ? "selection" : cursor === null ? null : "open"),
    undo: () => tell(decisions.undo(), "Undone"),
    redo: () => tell(decisions.redo(), "Done again"),
    ...Object.fromEntries(LIKELY_KEYS.map((n) => [`likely${n}`, () => decideLikely(n)])),
    ...(open === null && selecting),
  };
  useKeys({
    ...(decisions.allowed && deciding),
    next: () => move(1),
    previous: () => move(-1),
    down: () => move(open === null ? columns.current : 1),
    up: () => move(open === null ? -columns.current : -1),
    zoom: () => (open === null ? cursor !== null && go(cursor) : given.onZoom()),
    close,
    ...(open === null ? { filter: given.onFilter } : { neighbours: given.onNeighbours }),
  });

  return {
    cursor,
    selected,
    picking,
    setPicking,
    busy,
    move,
    decideOne,
    decideSelected: (verdict: Verdict) => void decideSelected(verdict),
    select,
    selectAll,
    close,
    clearSelection: () => setSelection(NOTHING),
    /** Open a sample that is perhaps not in the list; a verdict on it leads back. */
    openAside: (index: number) => {
      if (listed(open)) setResting(open);
      go(index);
    },
    pick: (label: number) => {
      setPicking(null);
      const sample = sampleAt(cursor);
      if (picking === "selection") void decideSelected("relabel", label);
      else if (sample) decideOne(sample, "relabel", label);
    },
  };
}

const takesBack = (changes: Change[], key: string | undefined) =>
  changes.length === 0 ? "" : key === undefined ? " Undo takes it back." : ` ${key} takes it back.`;

/** Why so many cannot be decided at once, in words; null when they can. */
export const tooMany = (selected: number): string | null =>
  selected > MOST_AT_ONCE
    ? `At most ${count(MOST_AT_ONCE)} at once, so that one undo takes them all back: narrow the filter.`
    : null;
