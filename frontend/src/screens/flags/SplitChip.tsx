/** The split in which samples came, as a filter; only where they came in several. */
import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { splits as splitsQuery } from "@/api/queries";
import { count } from "@/parts/format";

import { Chip } from "./Chips";
import type { FlagsSearch } from "./filter";

interface Props {
  runId: string;
  split: FlagsSearch["split"];
  /** Whether samples that are not flagged are listed too. */
  all: boolean;
  onChange: (change: Partial<FlagsSearch>) => void;
}

const WORDS: Partial<Record<NonNullable<Props["split"]>, string>> = { none: "without a split" };

export function SplitChip({ runId, split, all, onChange }: Props) {
  const found = useQuery(splitsQuery(runId)).data?.items ?? [];
  if (found.length < 2 && split === undefined) return null;
  return (
    <Chip
      name="Split"
      value={split === undefined ? null : (WORDS[split] ?? split)}
      onClear={() => onChange({ split: undefined })}
      menu={found.map((one) => (
        <Menu.Item
          key={one.split}
          rightSection={<span className="dim number">{count(all ? one.samples : one.flagged)}</span>}
          onClick={() => onChange({ split: one.split })}
        >
          {WORDS[one.split] ?? one.split}
        </Menu.Item>
      ))}
    />
  );
}
