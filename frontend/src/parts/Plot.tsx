/** A figure that the server drew, shown by the plotly.js that it serves; loaded when the first one is needed. */
import { Skeleton } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import type { Figure } from "@/api/queries";

import { FONT } from "@/theme";

import { loadPlotly } from "./plotly";
import { ErrorState } from "./States";
import "./plot.css";

interface Props {
  figure: Figure;
  label: string;
  height: number | string;
  /** Over what the server's layout says. */
  layout?: Record<string, unknown>;
}

export function Plot({ figure, label, height, layout }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "ready" | { failed: unknown }>("loading");

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let gone = false;
    void loadPlotly().then(
      async (plotly) => {
        if (gone) return;
        const config = {
          responsive: true,
          displaylogo: false,
          scrollZoom: true,
          modeBarButtonsToRemove: ["toImage", "autoScale2d"],
        };
        await plotly.react(
          element,
          figure.data,
          { ...figure.layout, font: { family: FONT }, ...layout },
          config,
        );
        setState("ready");
      },
      (failed: unknown) => {
        if (!gone) setState({ failed });
      },
    );
    return () => {
      gone = true;
    };
  }, [figure, layout]);

  useEffect(() => {
    const element = host.current;
    return () => {
      if (element && window.Plotly) window.Plotly.purge(element);
    };
  }, []);

  if (typeof state === "object") return <ErrorState error={state.failed} retry={() => setState("loading")} />;
  return (
    <div className="plot" style={{ height }}>
      {state === "loading" && <Skeleton height="100%" className="plot-wait" />}
      <div ref={host} role="figure" aria-label={label} className="plot-host" data-state={state} />
    </div>
  );
}
