/** The filters as chips, the exact count, and the size of the tiles. */
import { Button, Menu, RangeSlider, SegmentedControl } from "@mantine/core";
import { IconChevronDown, IconX } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";

import { VERDICT_ORDER, VERDICTS } from "@/decisions/verdicts";
import { count, percent } from "@/parts/format";

import { ClassList } from "./ClassPicker";
import type { FlagsSearch } from "./filter";

interface Props {
  search: FlagsSearch;
  classes: string[];
  total: number | null;
  size: number;
  onChange: (change: Partial<FlagsSearch>) => void;
  onClear: () => void;
  onSize: (size: number) => void;
  onSelectAll: () => void;
  openRef: React.RefObject<HTMLButtonElement | null>;
}

export const SIZES = [72, 112, 168];

export function FilterBar({
  search,
  classes,
  total,
  size,
  onChange,
  onClear,
  onSize,
  onSelectAll,
  openRef,
}: Props) {
  const narrowed = ["given", "suggested", "min", "max", "verdict"].some((key) => key in search);
  return (
    <div className="filters">
      <SegmentedControl
        size="xs"
        value={search.show ?? "flagged"}
        onChange={(value) => onChange({ show: value === "all" ? "all" : undefined })}
        data={[
          { value: "flagged", label: "Flagged" },
          { value: "all", label: "All samples" },
        ]}
      />
      <ClassChip
        ref={openRef}
        name="Given"
        label={search.given}
        classes={classes}
        onChange={(given) => onChange({ given })}
      />
      <ClassChip
        name="Suggested"
        label={search.suggested}
        classes={classes}
        onChange={(suggested) => onChange({ suggested })}
      />
      <PosteriorChip
        key={`${search.min ?? 0}-${search.max ?? 1}`}
        min={search.min}
        max={search.max}
        onChange={onChange}
      />
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
      >
        {(["none", ...VERDICT_ORDER] as const).map((verdict) => (
          <Menu.Item key={verdict} onClick={() => onChange({ verdict })}>
            {verdict === "none" ? "None yet" : VERDICTS[verdict].word}
          </Menu.Item>
        ))}
      </Chip>
      {narrowed && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={onClear}>
          Clear
        </Button>
      )}
      <span className="filters-count number" role="status" data-testid="count">
        {total === null ? "" : `${count(total)} ${total === 1 ? "sample" : "samples"}`}
      </span>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={onSelectAll} disabled={!total}>
        Select all
      </Button>
      <SegmentedControl
        size="xs"
        value={search.order ?? "posterior"}
        onChange={(value) => onChange({ order: value === "index" ? "index" : undefined })}
        data={[
          { value: "posterior", label: "Most suspect" },
          { value: "index", label: "Dataset order" },
        ]}
      />
      <SegmentedControl
        size="xs"
        aria-label="Size of the images"
        value={String(size)}
        onChange={(value) => onSize(Number(value))}
        data={SIZES.map((one, position) => ({ value: String(one), label: ["S", "M", "L"][position] ?? "" }))}
      />
    </div>
  );
}

interface ChipProps {
  name: string;
  value: string | null;
  onClear: () => void;
  children: ReactNode;
  ref?: React.Ref<HTMLButtonElement>;
}

function Chip({ name, value, onClear, children, ref }: ChipProps) {
  return (
    <span className="chip" data-on={value !== null || undefined}>
      <Menu shadow="md" width={240} position="bottom-start">
        <Menu.Target>
          <button type="button" className="chip-main" ref={ref}>
            {name}
            {value !== null && <b>{value}</b>}
            {value === null && <IconChevronDown size={13} className="faint" aria-hidden />}
          </button>
        </Menu.Target>
        <Menu.Dropdown>{children}</Menu.Dropdown>
      </Menu>
      {value !== null && (
        <button
          type="button"
          className="chip-clear"
          aria-label={`Clear the filter ${name}`}
          onClick={onClear}
        >
          <IconX size={13} />
        </button>
      )}
    </span>
  );
}

interface ClassChipProps {
  name: string;
  label: number | undefined;
  classes: string[];
  onChange: (label: number | undefined) => void;
  ref?: React.Ref<HTMLButtonElement>;
}

function ClassChip({ name, label, classes, onChange, ref }: ClassChipProps) {
  return (
    <Chip
      name={name}
      value={label === undefined ? null : (classes[label] ?? String(label))}
      onClear={() => onChange(undefined)}
      ref={ref}
    >
      <ClassList classes={classes} onPick={onChange} asMenu />
    </Chip>
  );
}

function PosteriorChip({
  min = 0,
  max = 1,
  onChange,
}: {
  min?: number;
  max?: number;
  onChange: (change: Partial<FlagsSearch>) => void;
}) {
  const [range, setRange] = useState<[number, number]>([min, max]);
  const narrowed = min > 0 || max < 1;
  return (
    <Chip
      name="Posterior"
      value={narrowed ? `${percent(min).replace(" %", "")}–${percent(max)}` : null}
      onClear={() => onChange({ min: undefined, max: undefined })}
    >
      <div className="chip-range">
        <div className="dim number">
          {percent(range[0])} to {percent(range[1])} probably wrong
        </div>
        <RangeSlider
          min={0}
          max={1}
          step={0.01}
          minRange={0.01}
          label={null}
          value={range}
          onChange={setRange}
          onChangeEnd={([low, high]) =>
            onChange({ min: low > 0 ? low : undefined, max: high < 1 ? high : undefined })
          }
          thumbFromLabel="Lowest posterior"
          thumbToLabel="Highest posterior"
        />
      </div>
    </Chip>
  );
}
