/** What the palette offers where one is: actions, screens, datasets, runs. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";

import { useMayBringData } from "@/accounts/useMay";
import { datasets as datasetsQuery, run as runQuery, runs as runsQuery } from "@/api/queries";
import { BINDINGS } from "@/keys/bindings";
import { useKeyChoices } from "@/keys/choices";
import { shownKeys } from "@/keys/keymap";
import { available, perform } from "@/keys/useKeys";
import { ago, many } from "@/parts/format";

export interface PaletteEntry {
  id: string;
  group: "Actions" | "Screens" | "Datasets" | "Audits";
  label: string;
  detail?: string;
  keys?: string[];
  run: () => void;
}

/** Actions of the list below that are screens; those that only say where the palette itself is, are left out. */
const UNLISTED: ReadonlySet<string> = new Set(["palette", "lead", "next", "previous", "down", "up", "close"]);

export function useEntries(): PaletteEntry[] {
  const navigate = useNavigate();
  const choices = useKeyChoices();
  const { runId } = useParams({ strict: false });
  const run = useQuery({ ...runQuery(runId ?? ""), enabled: runId !== undefined }).data;
  const datasets = useQuery(datasetsQuery).data?.items ?? [];
  const runs = useQuery(runsQuery()).data?.items ?? [];
  const mayBring = useMayBringData();
  const can = available();
  const ofKeys = BINDINGS.filter(
    ({ action }) => can.has(action) && !UNLISTED.has(action) && !action.startsWith("likely"),
  );

  const entries: PaletteEntry[] = ofKeys.map((binding) => ({
    id: binding.action,
    group: binding.led ? "Screens" : "Actions",
    label: binding.label,
    ...(binding.led &&
      run &&
      binding.action !== "goHome" && { detail: `${run.dataset_name}, ${run.recipe}` }),
    keys: shownKeys(binding, choices)[0] ?? [],
    run: () => void perform(binding.action),
  }));
  entries.push({
    id: "settings",
    group: "Screens",
    label: "Settings",
    detail: "keys, theme, tokens, storage",
    run: () => void navigate({ to: "/settings" }),
  });
  if (mayBring)
    entries.push({
      id: "new-dataset",
      group: "Screens",
      label: "New dataset",
      detail: "upload",
      run: () => void navigate({ to: "/datasets/new" }),
    });
  for (const { id, name, sample_count } of datasets)
    entries.push({
      id,
      group: "Datasets",
      label: name,
      detail: many(sample_count, "sample"),
      run: () => void navigate({ to: "/datasets/$datasetId", params: { datasetId: id } }),
    });
  for (const { id, dataset_name, recipe, created_at, status } of runs)
    entries.push({
      id,
      group: "Audits",
      label: `${dataset_name}, ${recipe}`,
      detail: `${status}, ${ago(created_at)}`,
      run: () => void navigate({ to: "/runs/$runId", params: { runId: id } }),
    });
  return entries;
}
