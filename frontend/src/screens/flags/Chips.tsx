/** A filter as a chip: its name, its value, a menu to change it and a cross to clear it. */
import { Menu, Popover, RangeSlider } from "@mantine/core";
import { IconChevronDown, IconX } from "@tabler/icons-react";
import { useState, type ReactNode, type Ref } from "react";

import { percent } from "@/parts/format";

import { ClassList } from "./ClassPicker";
import type { FlagsSearch } from "./filter";

type Change = (change: Partial<FlagsSearch>) => void;

interface ChipProps {
  name: string;
  value: ReactNode;
  onClear: () => void;
  /** What opens: `menu` holds items to choose, `panel` anything else. Without either the chip can only be cleared. */
  menu?: ReactNode;
  panel?: (close: () => void) => ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

const WIDTH = 240;

export function Chip({ name, value, onClear, menu, panel, ref }: ChipProps) {
  const [opened, setOpened] = useState(false);
  const on = value !== null;
  const text = (
    <>
      {name}
      {on ? <b>{value}</b> : <IconChevronDown size={13} className="faint" aria-hidden />}
    </>
  );
  return (
    <span className="chip" data-on={on || undefined}>
      {menu !== undefined ? (
        <Menu width={WIDTH} position="bottom-start">
          <Menu.Target>
            <button type="button" className="chip-main" ref={ref}>
              {text}
            </button>
          </Menu.Target>
          <Menu.Dropdown>{menu}</Menu.Dropdown>
        </Menu>
      ) : panel !== undefined ? (
        <Popover
          width={WIDTH}
          position="bottom-start"
          opened={opened}
          onChange={setOpened}
          trapFocus
          returnFocus
        >
          <Popover.Target>
            <button type="button" className="chip-main" ref={ref} onClick={() => setOpened(!opened)}>
              {text}
            </button>
          </Popover.Target>
          <Popover.Dropdown aria-label={name} className="chip-panel">
            {panel(() => setOpened(false))}
          </Popover.Dropdown>
        </Popover>
      ) : (
        <span className="chip-main">{text}</span>
      )}
      {on && (
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
  ref?: Ref<HTMLButtonElement>;
}

export function ClassChip({ name, label, classes, onChange, ref }: ClassChipProps) {
  return (
    <Chip
      name={name}
      value={label === undefined ? null : (classes[label] ?? String(label))}
      onClear={() => onChange(undefined)}
      ref={ref}
      panel={(close) => (
        <ClassList
          classes={classes}
          onPick={(picked) => {
            close();
            onChange(picked);
          }}
        />
      )}
    />
  );
}

/** Given and suggested at once: a cell of the matrix. */
export function CellChip({
  given,
  suggested,
  classes,
  onChange,
}: {
  given: number;
  suggested: number;
  classes: string[];
  onChange: Change;
}) {
  const name = (label: number) => classes[label] ?? String(label);
  return (
    <Chip
      name="Given → suggested"
      value={`${name(given)} → ${name(suggested)}`}
      onClear={() => onChange({ given: undefined, suggested: undefined })}
      menu={
        <>
          <Menu.Item onClick={() => onChange({ suggested: undefined })}>
            Given {name(given)}, any other
          </Menu.Item>
          <Menu.Item onClick={() => onChange({ given: undefined })}>
            Suggested {name(suggested)}, any other
          </Menu.Item>
          <Menu.Item onClick={() => onChange({ given: suggested, suggested: given })}>
            The other way round: {name(suggested)} → {name(given)}
          </Menu.Item>
        </>
      }
    />
  );
}

const AGREEMENTS = [2, 3, 4, 5, 6];

export function AgreementChip({ least, onChange }: { least: number | undefined; onChange: Change }) {
  return (
    <Chip
      name="Agreement"
      value={least === undefined ? null : `${least} or more`}
      onClear={() => onChange({ agreement: undefined })}
      menu={
        <>
          <Menu.Label>Scores that find the label suspect</Menu.Label>
          {AGREEMENTS.map((number) => (
            <Menu.Item key={number} onClick={() => onChange({ agreement: number })}>
              {number} or more
            </Menu.Item>
          ))}
        </>
      }
    />
  );
}

export function PosteriorChip({
  min = 0,
  max = 1,
  onChange,
}: {
  min?: number;
  max?: number;
  onChange: Change;
}) {
  const [range, setRange] = useState<[number, number]>([min, max]);
  const narrowed = min > 0 || max < 1;
  return (
    <Chip
      name="Posterior"
      value={narrowed ? `${percent(min).replace(" %", "")}–${percent(max)}` : null}
      onClear={() => onChange({ min: undefined, max: undefined })}
      panel={() => (
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
      )}
    />
  );
}
