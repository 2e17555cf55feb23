/** Filters that other screens set: a kept selection, and what other runs flagged. */
import { useQuery } from "@tanstack/react-query";

import { runs as runsQuery, selectionSize } from "@/api/queries";
import { ago, many } from "@/parts/format";

import { Chip } from "./Chips";
import type { FlagsSearch } from "./filter";

interface Props {
  runId: string;
  datasetId: string;
  search: FlagsSearch;
  onChange: (change: Partial<FlagsSearch>) => void;
}

export function FromElsewhere({ runId, datasetId, search, onChange }: Props) {
  return (
    <>
      {search.selection !== undefined && (
        <SelectionChip
          runId={runId}
          id={search.selection}
          onClear={() =>
            onChange({
              selection: undefined,
              order: search.order === "selection" ? undefined : search.order,
            })
          }
        />
      )}
      {search.flagged_by !== undefined && (
        <RunsChip
          name="Also flagged by"
          datasetId={datasetId}
          ids={search.flagged_by.split(",")}
          onClear={() => onChange({ flagged_by: undefined })}
        />
      )}
      {search.not_flagged_by !== undefined && (
        <RunsChip
          name="Not flagged by"
          datasetId={datasetId}
          ids={search.not_flagged_by.split(",")}
          onClear={() => onChange({ not_flagged_by: undefined })}
        />
      )}
    </>
  );
}

function SelectionChip({ runId, id, onClear }: { runId: string; id: string; onClear: () => void }) {
  const kept = useQuery(selectionSize(runId, id));
  return (
    <Chip
      name="Selection"
      value={kept.data !== undefined ? many(kept.data, "sample") : kept.isError ? "not found" : "…"}
      onClear={onClear}
    />
  );
}

function RunsChip({
  name,
  datasetId,
  ids,
  onClear,
}: {
  name: string;
  datasetId: string;
  ids: string[];
  onClear: () => void;
}) {
  const known = useQuery(runsQuery(datasetId)).data?.items ?? [];
  const words = ids.map((id) => {
    const run = known.find((one) => one.id === id);
    return run ? `${run.recipe}, ${ago(run.created_at)}` : "another run";
  });
  return <Chip name={name} value={words.join(" and ")} onClear={onClear} />;
}
