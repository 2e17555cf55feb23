/** What can be done with all that the filter leaves, and how it is laid out. */
import { Button, SegmentedControl } from "@mantine/core";
import { IconMap2, IconSquareCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { count } from "@/parts/format";
import { LinkButton } from "@/parts/LinkButton";

import { without, type FlagsSearch } from "./filter";

export const SIZES = [72, 112, 168];

interface Props {
  runId: string;
  search: FlagsSearch;
  order: Uint32Array;
  size: number;
  onChange: (change: Partial<FlagsSearch>) => void;
  onSize: (size: number) => void;
  /** Absent where nothing can be done with a selection. */
  onSelectAll: (() => void) | undefined;
  children: ReactNode;
}

export function Tools({ runId, search, order, size, onChange, onSize, onSelectAll, children }: Props) {
  const orders = [
    { value: "posterior", label: "Most suspect" },
    { value: "index", label: "Dataset order" },
    ...(search.selection === undefined ? [] : [{ value: "selection", label: "As selected" }]),
  ];
  return (
    <div className="tools">
      {children}
      <div className="tools-right">
        {onSelectAll && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            leftSection={<IconSquareCheck size={15} stroke={1.75} />}
            onClick={onSelectAll}
            disabled={order.length === 0}
          >
            Select all{order.length > 0 ? ` ${count(order.length)}` : ""}
          </Button>
        )}
        <LinkButton
          to="/runs/$runId/map"
          params={{ runId }}
          search={{ ...without({ ...search, order: undefined }), picked: true }}
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconMap2 size={15} stroke={1.75} />}
          disabled={order.length === 0}
        >
          Show on map
        </LinkButton>
        <SegmentedControl
          size="xs"
          aria-label="Order"
          value={search.order ?? "posterior"}
          onChange={(value) =>
            onChange({ order: value === "index" || value === "selection" ? value : undefined })
          }
          data={orders}
        />
        <SegmentedControl
          size="xs"
          aria-label="Size of the images"
          value={String(size)}
          onChange={(value) => onSize(Number(value))}
          data={SIZES.map((one, position) => ({
            value: String(one),
            label: ["S", "M", "L"][position] ?? "",
          }))}
        />
      </div>
    </div>
  );
}
