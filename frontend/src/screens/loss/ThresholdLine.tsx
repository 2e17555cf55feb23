/** The distribution of noise posteriors with a line to move over it: by hand, by arrow keys, never only by dragging. */
import { useRef, type KeyboardEvent, type PointerEvent } from "react";

import type { ThresholdRow } from "@/api/evidence";
import type { Figure } from "@/api/queries";
import { count, figure as digits } from "@/parts/format";
import { Plot } from "@/parts/Plot";
import { numbersOf } from "@/parts/scatter/typedArrays";

import { afterKey, nearestAt } from "./thresholds";

const HEIGHT = 250;
/** The frame of the plot is fixed, so that the line over it stands where its value is. */
const MARGIN = { l: 56, r: 20, t: 26, b: 46 };

interface Props {
  figure: Figure;
  rows: ThresholdRow[];
  at: number;
  onMove: (at: number) => void;
}

export function ThresholdLine({ figure, rows, at, onMove }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const held = useRef(false);
  const row = rows[at];
  if (!row) return null;
  const share = `${row.threshold * 100}%`;

  function onPointerMove(event: PointerEvent) {
    const box = frame.current?.getBoundingClientRect();
    if (!held.current || !box) return;
    onMove(nearestAt(rows, (event.clientX - box.left) / box.width));
  }
  function onKeyDown(event: KeyboardEvent) {
    const next = afterKey(event.key, at, rows.length);
    if (next === null) return;
    event.preventDefault();
    onMove(next);
  }
  return (
    <div className="threshold-plot">
      <Plot
        figure={figure}
        label="Distribution of the noise posteriors of all samples"
        height={HEIGHT}
        layout={layoutOf(figure)}
        still
      />
      <div
        className="threshold-frame"
        ref={frame}
        style={{ left: MARGIN.l, right: MARGIN.r, top: MARGIN.t, bottom: MARGIN.b }}
      >
        <div className="threshold-flagged" style={{ left: share }} aria-hidden>
          <span>flagged →</span>
        </div>
        <div
          role="slider"
          tabIndex={0}
          className="threshold-line"
          style={{ left: share }}
          aria-label="Threshold on the noise posterior"
          aria-valuemin={rows[0]?.threshold}
          aria-valuemax={rows.at(-1)?.threshold}
          aria-valuenow={row.threshold}
          aria-valuetext={`${digits(row.threshold)}: ${count(row.flagged)} flagged`}
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            held.current = true;
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={onPointerMove}
          onPointerUp={() => {
            held.current = false;
          }}
        >
          <b className="number">{digits(row.threshold)}</b>
        </div>
      </div>
    </div>
  );
}

/** Bars higher than this many samples would press the few doubtful ones between the ends to nothing. */
const CROWDED = 100;

function heightOf({ data }: Figure): Record<string, unknown> {
  const heights = data.flatMap(({ y }) => Array.from(numbersOf(y)));
  const top = Math.max(1, ...heights);
  if (top < CROWDED) return {};
  return {
    type: "log",
    range: [Math.log10(0.5), Math.log10(top * 1.6)],
    dtick: 1,
    tickformat: ",d",
    title: { text: "Samples per bin (log scale)" },
  };
}

const layouts = new WeakMap<Figure, Record<string, unknown>>();

/** The server's layout inside our frame: no title, no room that depends on the length of a label. */
function layoutOf(figure: Figure): Record<string, unknown> {
  const known = layouts.get(figure);
  if (known) return known;
  const { xaxis, yaxis } = figure.layout as Record<"xaxis" | "yaxis", Record<string, unknown> | undefined>;
  const layout = {
    margin: MARGIN,
    dragmode: false,
    showlegend: false,
    xaxis: { ...xaxis, range: [0, 1], fixedrange: true, automargin: false },
    yaxis: { ...yaxis, ...heightOf(figure), fixedrange: true, automargin: false },
    shapes: [],
    annotations: [],
  };
  layouts.set(figure, layout);
  return layout;
}
