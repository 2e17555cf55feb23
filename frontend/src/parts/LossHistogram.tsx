/** The losses of all samples at one epoch as bars, with the clean and the noisy component over them. */
import { useElementSize } from "@mantine/hooks";
import { useState } from "react";

import type { Epoch } from "@/api/client";

import { count, figure } from "./format";
import { tipPlace } from "./LineChart";
import { readMixture, type Histogram } from "./mixture";
import { linear, ticks } from "./scale";
import "./charts.css";

const LEFT = 44;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 34;

export function LossHistogram({ epoch, height }: { epoch: Epoch; height: number }) {
  const { ref, width } = useElementSize();
  const [hovered, setHovered] = useState<number | null>(null);
  const { edges, counts } = epoch.histogram as unknown as Histogram;
  const total = counts.reduce((sum, one) => sum + one, 0);
  const first = edges[0] ?? 0;
  const last = edges.at(-1) ?? 1;
  const binWidth = (last - first) / Math.max(1, counts.length);
  const mixture = readMixture(epoch, total * binWidth);
  // One crowded first bin would flatten everything else: the axis ends over the second highest.
  const sorted = [...counts].sort((a, b) => b - a);
  const top = Math.max(1, Math.min((sorted[0] ?? 1) * 1.05, (sorted[1] ?? 1) * 2.5));
  const x = linear([first, last], [LEFT, Math.max(LEFT + 1, width - RIGHT)]);
  const root = linear([0, Math.sqrt(top)], [height - BOTTOM, TOP]);
  // A square-root scale shows the few noisy samples beside the many clean ones.
  const y = (samples: number) => root(Math.sqrt(Math.max(0, samples)));
  const barWidth = x(first + binWidth) - x(first);
  const path = (values: number[]) =>
    (mixture?.x ?? []).map((at, n) => `${x(at)},${Math.max(y(values[n] ?? 0), TOP)}`).join(" ");
  const threshold = mixture?.threshold ?? null;
  return (
    <div className="chart" ref={ref}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`Histogram of ${count(total)} losses from ${figure(first)} to ${figure(last)} nats`}
          onPointerMove={(event) => {
            const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
            const bin = Math.floor(((at - LEFT) / (width - RIGHT - LEFT)) * counts.length);
            setHovered(bin >= 0 && bin < counts.length ? bin : null);
          }}
          onPointerLeave={() => setHovered(null)}
        >
          {rootTicks(top).map((value) => (
            <g key={value}>
              <line x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} className="chart-grid" />
              <text
                x={LEFT - 6}
                y={y(value)}
                className="chart-tick"
                textAnchor="end"
                dominantBaseline="central"
              >
                {count(value)}
              </text>
            </g>
          ))}
          {ticks([first, last], 6).map((value) => (
            <text
              key={value}
              x={x(value)}
              y={height - BOTTOM + 14}
              className="chart-tick"
              textAnchor="middle"
            >
              {value}
            </text>
          ))}
          {counts.map((size, bin) => {
            const left = x(edges[bin] ?? 0);
            const edge = Math.max(y(Math.min(size, top)), TOP);
            return (
              <rect
                key={bin}
                x={left}
                width={Math.max(0.5, x(edges[bin + 1] ?? 0) - left - (barWidth > 5 ? 1 : 0))}
                y={edge}
                height={height - BOTTOM - edge}
                className={bin === hovered ? "chart-bar chart-bar-on" : "chart-bar"}
              />
            );
          })}
          {mixture && (
            <>
              <polyline
                points={path(mixture.clean)}
                fill="none"
                stroke="var(--na-clean)"
                className="chart-line"
              />
              <polyline
                points={path(mixture.noisy)}
                fill="none"
                stroke="var(--na-noisy)"
                className="chart-line"
              />
            </>
          )}
          {threshold !== null && threshold > first && threshold < last && (
            <line
              x1={x(threshold)}
              x2={x(threshold)}
              y1={TOP}
              y2={height - BOTTOM}
              className="chart-threshold"
            />
          )}
        </svg>
      )}
      <div className="chart-legend">
        <span>
          <i className="chart-key-bar" /> samples
        </span>
        {mixture && (
          <>
            <span>
              <i style={{ background: "var(--na-clean)" }} /> clean
            </span>
            <span>
              <i style={{ background: "var(--na-noisy)" }} /> noisy
            </span>
            <span className="faint">{mixture.name}</span>
          </>
        )}
        <span className="chart-unit faint">loss in nats, √ scale</span>
      </div>
      {hovered !== null && (
        <div className="chart-tip number" style={tipPlace(x(edges[hovered] ?? 0), width)}>
          <div className="faint">
            {figure(edges[hovered] ?? 0)} – {figure(edges[hovered + 1] ?? 0)} nats
          </div>
          <b>{count(counts[hovered] ?? 0)}</b> samples
        </div>
      )}
    </div>
  );
}

/** Round values whose square roots are about evenly spread. */
function rootTicks(top: number): number[] {
  const [, step = top] = ticks([0, top], 4);
  return [step / 4, step, step * 2, step * 4].filter((value) => value <= top * 1.001 && value >= 1);
}
