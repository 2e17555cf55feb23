/** The filters as chips, and the exact count of what they leave. */
import { Button, Menu, SegmentedControl } from "@mantine/core";
import type { RefObject } from "react";

import { VERDICT_ORDER, VERDICTS } from "@/decisions/verdicts";
import { many } from "@/parts/format";

import { AgreementChip, CellChip, Chip, ClassChip, PosteriorChip } from "./Chips";
import { isFiltered, type FlagsSearch } from "./filter";
import { FromElsewhere } from "./FromElsewhere";
import { SplitChip } from "./SplitChip";

interface Props {
  runId: string;
  datasetId: string;
  search: FlagsSearch;
  classes: string[];
  total: number | null;
  onChange: (change: Partial<FlagsSearch>) => void;
  onClear: () => void;
  openRef: RefObject<HTMLButtonElement | null>;
}

export function FilterBar({ runId, datasetId, search, classes, total, onChange, onClear, openRef }: Props) {
  const { given, suggested } = search;
  return (
    <div className="filters" role="group" aria-label="Filters">
      <SegmentedControl
        size="xs"
        aria-label="Which samples"
        value={search.show ?? "flagged"}
        onChange={(value) => onChange({ show: value === "all" ? "all" : undefined })}
        data={[
          { value: "flagged", label: "Flagged" },
          { value: "all", label: "All samples" },
        ]}
      />
      {given !== undefined && suggested !== undefined ? (
        <CellChip given={given} suggested={suggested} classes={classes} onChange={onChange} />
      ) : (
        <>
          <ClassChip
            ref={openRef}
            name="Given"
            label={given}
            classes={classes}
            onChange={(label) => onChange({ given: label })}
          />
          <ClassChip
            name="Suggested"
            label={suggested}
            classes={classes}
            onChange={(label) => onChange({ suggested: label })}
          />
        </>
      )}
      <PosteriorChip
        key={`${search.min ?? 0}-${search.max ?? 1}`}
        min={search.min}
        max={search.max}
        onChange={onChange}
      />
      <AgreementChip least={search.agreement} onChange={onChange} />
      <Chip
        name="Decision"
        value={
          search.verdict === undefined
            ? null
            : search.verdict === "none"
              ? "none yet"
              : VERDICTS[search.verdict].word
        }
        onClear={() => onChange({ verdict: undefined })}
        menu={(["none", ...VERDICT_ORDER] as const).map((verdict) => (
          <Menu.Item key={verdict} onClick={() => onChange({ verdict })}>
            {verdict === "none" ? "None yet" : VERDICTS[verdict].word}
          </Menu.Item>
        ))}
      />
      <SplitChip runId={runId} split={search.split} all={search.show === "all"} onChange={onChange} />
      <FromElsewhere runId={runId} datasetId={datasetId} search={search} onChange={onChange} />
      {isFiltered(search) && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      )}
      <span className="filters-count number" role="status" data-testid="count">
        {total === null ? "" : many(total, "sample")}
      </span>
    </div>
  );
}
