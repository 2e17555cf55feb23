/** The virtualised grid of tiles; asks for the next page before its end comes into view. */
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import type { Sample } from "@/api/client";
import type { Standing } from "@/decisions/queue";

import { Tile } from "./Tile";

interface Props {
  datasetId: string;
  items: Sample[];
  classes: string[];
  size: number;
  cursor: number | null;
  selected: ReadonlySet<number>;
  standing: (sample: Sample) => Standing;
  onOpen: (sample: Sample) => void;
  onSelect: (sample: Sample, range: boolean) => void;
  onColumns: (columns: number) => void;
  onEnd: () => void;
}

const GAP = 8;
const CAPTION = 40;
const PADDING = 18;
const ROWS_AHEAD = 4;

export function Grid({ items, size, cursor, onColumns, onEnd, ...tiles }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const { ref, width } = useElementSize();
  const columns = Math.max(1, Math.floor((width - 2 * PADDING + GAP) / (size + GAP)));
  const rows = Math.ceil(items.length / columns);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => size + CAPTION + GAP,
    overscan: ROWS_AHEAD,
    paddingStart: PADDING,
    scrollPaddingStart: PADDING,
    scrollPaddingEnd: PADDING,
    paddingEnd: PADDING + 64,
  });
  const shown = virtual.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;

  useEffect(() => virtual.measure(), [size, columns, virtual]);
  useEffect(() => onColumns(columns), [columns, onColumns]);
  useEffect(() => {
    if (rows > 0 && lastShown >= rows - ROWS_AHEAD) onEnd();
  }, [lastShown, rows, onEnd]);

  const cursorAt = cursor === null ? -1 : items.findIndex(({ index }) => index === cursor);
  const cursorRow = cursorAt < 0 ? null : Math.floor(cursorAt / columns);
  useEffect(() => {
    if (cursorRow !== null) virtual.scrollToIndex(cursorRow, { align: "auto" });
  }, [cursorRow, virtual]);

  return (
    <div className="grid-scroll" ref={scroller} tabIndex={0} role="region" aria-label="Samples">
      <div ref={ref} style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {width > 0 &&
          shown.map((row) => (
            <div
              key={row.key}
              className="grid-row"
              style={{
                transform: `translateY(${row.start}px)`,
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                height: size + CAPTION,
                padding: `0 ${PADDING}px`,
                gap: GAP,
              }}
            >
              {items.slice(row.index * columns, (row.index + 1) * columns).map((sample) => (
                <Tile
                  key={sample.index}
                  datasetId={tiles.datasetId}
                  classes={tiles.classes}
                  sample={sample}
                  standing={tiles.standing(sample)}
                  cursor={sample.index === cursor}
                  selected={tiles.selected.has(sample.index)}
                  selecting={tiles.selected.size > 0}
                  onOpen={tiles.onOpen}
                  onSelect={tiles.onSelect}
                />
              ))}
            </div>
          ))}
      </div>
    </div>
  );
}
