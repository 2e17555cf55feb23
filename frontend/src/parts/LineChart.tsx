/** A small line chart that grows with its data; hovering says the numbers. */
import { useElementSize } from "@mantine/hooks";
import { useId, useState, type PointerEvent } from "react";

import { extent, linear, ticks, twoTicks } from "./scale";
import "./charts.css";

export interface Series {
  name: string;
  color: string;
  points: (readonly [number, number])[];
}

/** From one x to another, both shown. */
export type Span = readonly [number, number];

/** A spot on the axis, such as an epoch in which a prediction differed. */
export interface Mark {
  x: number;
  color: string;
  title: string;
}

interface Props {
  series: Series[];
  height: number;
  xName: string;
  /** The last x there will be; the curve grows towards it. */
  xMax?: number;
  /** Shows this part alone, whatever else comes; absent for all of it. */
  part?: Span | null;
  /** Called with the part that was marked by dragging. */
  onPart?: (part: Span) => void;
  /** Lets the vertical axis begin at zero. */
  zero?: boolean;
  format: (value: number) => string;
  xFormat?: (value: number) => string;
  marks?: Mark[];
  /** Where something else begins, such as the training of a further network: the curves break there. */
  starts?: number[];
}

const LEFT = 40;
const BOTTOM = 18;
const TOP = 4;
const RIGHT = 6;

export function LineChart({
  series,
  height,
  xName,
  xMax,
  part = null,
  onPart,
  zero = false,
  format,
  xFormat = String,
  marks = [],
  starts = [],
}: Props) {
  const { ref, width } = useElementSize();
  const clip = useId();
  const [hovered, setHovered] = useState<number | null>(null);
  const [marked, setMarked] = useState<Span | null>(null);
  const all = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const first = all[0] ?? 0;
  const xDomain: [number, number] = part
    ? [part[0], Math.max(part[1], part[0] + 1)]
    : [first, Math.max(xMax ?? 0, all.at(-1) ?? first + 1, first + 1)];
  const shown = (at: number) => at >= xDomain[0] && at <= xDomain[1];
  const xs = all.filter(shown);
  const ys = series.flatMap(({ points }) => points.filter(([at]) => shown(at)).map(([, y]) => y));
  const [low, high] = extent(ys);
  const x = linear(xDomain, [LEFT, Math.max(LEFT + 1, width - RIGHT)]);
  const y = linear([zero ? Math.min(0, ...ys) : low, high], [height - BOTTOM, TOP]);
  const label = series
    .map(
      ({ name, points }) =>
        `${name}: ${points
          .map(([at, value]) => `${xFormat(at)} ${format(value)}`)
          .slice(-1)
          .join()}`,
    )
    .join("; ");

  function nearest({ clientX, currentTarget }: PointerEvent<SVGElement>): number | null {
    const at = clientX - currentTarget.getBoundingClientRect().left;
    return xs.reduce<number | null>(
      (best, one) => (best === null || Math.abs(x(one) - at) < Math.abs(x(best) - at) ? one : best),
      null,
    );
  }

  function onMove(event: PointerEvent<SVGElement>) {
    const at = nearest(event);
    setHovered(at);
    if (marked && at !== null) setMarked([marked[0], at]);
  }

  function onDown(event: PointerEvent<SVGElement>) {
    const at = nearest(event);
    if (!onPart || event.button !== 0 || at === null) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setMarked([at, at]);
  }

  function onUp() {
    if (marked && marked[0] !== marked[1]) onPart?.([Math.min(...marked), Math.max(...marked)]);
    setMarked(null);
  }

  return (
    <div className="chart" ref={ref} style={{ height }}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`${label}, by ${xName.toLowerCase()}`}
          data-marks={onPart ? true : undefined}
          onPointerMove={onMove}
          onPointerDown={onDown}
          onPointerUp={onUp}
          onPointerCancel={() => setMarked(null)}
          onPointerLeave={() => setHovered(null)}
        >
          <clipPath id={clip}>
            <rect
              x={LEFT - 4}
              width={Math.max(0, width - RIGHT - LEFT + 8)}
              y={0}
              height={height - BOTTOM + 4}
            />
          </clipPath>
          {twoTicks(y.domain, Math.round(height / 44)).map((value) => (
            <g key={value}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} className="chart-grid" />
              <text
                x={LEFT - 6}
                y={y(value)}
                className="chart-tick"
                textAnchor="end"
                dominantBaseline="central"
              >
                {format(value)}
              </text>
            </g>
          ))}
          {ticks(xDomain, Math.max(2, Math.round(width / 70)))
            .filter(Number.isInteger)
            .map((value) => (
              <text
                key={value}
                x={x(value)}
                y={height - 4}
                className="chart-tick"
                // The last one would stick out.
                textAnchor={x(value) > width - RIGHT - 10 ? "end" : "middle"}
              >
                {xFormat(value)}
              </text>
            ))}
          {marked && marked[0] !== marked[1] && (
            <rect
              x={x(Math.min(...marked))}
              width={x(Math.max(...marked)) - x(Math.min(...marked))}
              y={TOP}
              height={height - BOTTOM - TOP}
              className="chart-marked"
            />
          )}
          {marks.map((mark) => (
            <rect
              key={mark.x}
              x={x(mark.x) - 2}
              width={4}
              y={height - BOTTOM - 3}
              height={3}
              fill={mark.color}
            >
              <title>{mark.title}</title>
            </rect>
          ))}
          {starts.filter(shown).map((at) => (
            <line
              key={at}
              x1={x(at - 0.5)}
              x2={x(at - 0.5)}
              y1={TOP}
              y2={height - BOTTOM}
              className="chart-start"
            />
          ))}
          {series.map(({ name, color, points }) => (
            <g key={name} clipPath={`url(#${clip})`}>
              {pieces(points, starts).map((piece, place) =>
                piece.length === 1 ? (
                  piece.map(([at, value]) => <circle key={at} cx={x(at)} cy={y(value)} r={3} fill={color} />)
                ) : (
                  <polyline
                    key={place}
                    points={piece.map(([at, value]) => `${x(at)},${y(value)}`).join(" ")}
                    fill="none"
                    stroke={color}
                    className="chart-line"
                  />
                ),
              )}
            </g>
          ))}
          {hovered !== null && (
            <g>
              <line x1={x(hovered)} x2={x(hovered)} y1={TOP} y2={height - BOTTOM} className="chart-cursor" />
              {series.map(({ name, color, points }) =>
                points
                  .filter(([at]) => at === hovered)
                  .map(([at, value]) => (
                    <circle key={name} cx={x(at)} cy={y(value)} r={3.5} fill={color} className="chart-dot" />
                  )),
              )}
            </g>
          )}
        </svg>
      )}
      {hovered !== null && (
        <div className="chart-tip number" style={tipPlace(x(hovered), width)}>
          <div className="faint">
            {xName} {xFormat(hovered)}
          </div>
          {series.map(({ name, color, points }) =>
            points
              .filter(([at]) => at === hovered)
              .map(([, value]) => (
                <div key={name}>
                  <i style={{ background: color }} /> {name} <b>{format(value)}</b>
                </div>
              )),
          )}
        </div>
      )}
    </div>
  );
}

/** The points (by x) in pieces, each up to where the next one starts. */
export function pieces(points: Series["points"], starts: number[]): Series["points"][] {
  const ends = [...starts, Infinity];
  return ends
    .map((end, place) => points.filter(([at]) => at < end && at >= (ends[place - 1] ?? -Infinity)))
    .filter((piece) => piece.length > 0);
}

/** Left of the pointer where there is no room to the right of it. */
export function tipPlace(at: number, width: number) {
  return at > width / 2 ? { right: width - at + 10, top: 0 } : { left: at + 10, top: 0 };
}
