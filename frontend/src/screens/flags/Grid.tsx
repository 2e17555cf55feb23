/** The virtualised grid of tiles over the whole list; says what is in sight, and can be sent anywhere. */
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import type { Sample } from "@/api/client";
import type { Standing } from "@/decisions/standing";
import { useAtlas } from "@/parts/useAtlas";

import { Tile } from "./Tile";
import type { List } from "./useList";
import { usePicturesAhead } from "./usePrefetch";

export interface GridHandle {
  /** Scroll so that this position of the list is in the first row. */
  show: (position: number) => void;
  focus: () => void;
}

interface Props {
  datasetId: string;
  list: List;
  classes: string[];
  size: number;
  cursor: number | null;
  selected: ReadonlySet<number>;
  standing: (sample: Sample) => Standing;
  onOpen: (index: number) => void;
  onSelect: ((index: number, range: boolean) => void) | undefined;
  onColumns: (columns: number) => void;
  /** The first position in sight; called as it changes. */
  onFirst: (first: number) => void;
  ref?: Ref<GridHandle>;
}

const GAP = 10;
const CAPTION = 42;
const PADDING = 18;
const ROWS_AHEAD = 4;
/** The selection's bar floats over the end of the grid. */
const ROOM_BELOW = 72;

export function Grid({ list, size, cursor, onColumns, onFirst, ref, ...tiles }: Props) {
  const { order, onSight } = list;
  const scroller = useRef<HTMLDivElement>(null);
  const { ref: measured, width } = useElementSize();
  const room = Math.max(0, width - 2 * PADDING);
  const columns = Math.max(1, Math.floor((room + GAP) / (size + GAP)));
  const side = (room - (columns - 1) * GAP) / columns;
  const rows = width > 0 ? Math.ceil(order.length / columns) : 0;
  const rowHeight = side + CAPTION + GAP;
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: ROWS_AHEAD,
    paddingStart: PADDING,
    scrollPaddingStart: PADDING,
    scrollPaddingEnd: PADDING,
    paddingEnd: ROOM_BELOW,
  });
  const atlas = useAtlas(tiles.datasetId, order, side);
  const first = (virtual.range?.startIndex ?? 0) * columns;
  const last = ((virtual.range?.endIndex ?? 0) + 1) * columns - 1;

  useEffect(() => virtual.measure(), [rowHeight, virtual]);
  usePicturesAhead(atlas, last, order.length);
  useEffect(() => onColumns(columns), [columns, onColumns]);
  useEffect(() => onSight(first, last), [first, last, onSight]);
  useEffect(() => {
    if (rows > 0) onFirst(first);
  }, [first, rows, onFirst]);

  // Another list begins at its top, or where its cursor is.
  useEffect(() => virtual.scrollToOffset(0), [order, virtual]);
  const cursorAt = cursor === null ? -1 : order.indexOf(cursor);
  const cursorRow = cursorAt < 0 ? null : Math.floor(cursorAt / columns);
  useEffect(() => {
    if (cursorRow !== null && rows > 0) virtual.scrollToIndex(cursorRow, { align: "auto" });
  }, [cursorRow, rows, order, virtual]);
  useImperativeHandle(
    ref,
    () => ({
      show: (position) => virtual.scrollToIndex(Math.floor(position / columns), { align: "start" }),
      focus: () => scroller.current?.focus({ preventScroll: true }),
    }),
    [virtual, columns],
  );

  return (
    <div className="grid-scroll" ref={scroller} tabIndex={0} role="region" aria-label="Samples">
      <div ref={measured} style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className="grid-row"
            style={{
              transform: `translateY(${row.start}px)`,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
              height: side + CAPTION,
              padding: `0 ${PADDING}px`,
              gap: GAP,
            }}
          >
            {Array.from(order.subarray(row.index * columns, (row.index + 1) * columns), (index, column) => {
              const position = row.index * columns + column;
              const sample = list.row(index);
              return (
                <Tile
                  key={index}
                  index={index}
                  sample={sample}
                  classes={tiles.classes}
                  standing={sample ? tiles.standing(sample) : null}
                  cursor={index === cursor}
                  selected={tiles.selected.has(index)}
                  selecting={tiles.selected.size > 0}
                  onOpen={tiles.onOpen}
                  onSelect={tiles.onSelect}
                  picture={atlas.at(position)}
                  position={position}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
