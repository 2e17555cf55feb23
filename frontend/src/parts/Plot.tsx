/** A figure that the server drew, shown by the plotly.js that it serves; loaded when the first one is needed. */
import { Skeleton } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import type { Figure } from "@/api/queries";

import { loadPlotly, type PlotElement, type PlotEvent } from "./plotly";
import { ErrorState } from "./States";
import "./plot.css";

interface Props {
  figure: Figure;
  label: string;
  height: number | string;
  /** Over what the server's layout says. */
  layout?: Record<string, unknown>;
  onClick?: (event: PlotEvent) => void;
  onSelected?: (event: PlotEvent | null) => void;
}

export function Plot({ figure, label, height, layout, onClick, onSelected }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "ready" | { failed: unknown }>("loading");
  const handlers = useRef({ onClick, onSelected });
  useEffect(() => {
    handlers.current = { onClick, onSelected };
  });

  useEffect(() => {
    const element = host.current as PlotElement | null;
    if (!element) return;
    let gone = false;
    void loadPlotly().then(
      async (plotly) => {
        if (gone) return;
        const config = { responsive: true, displaylogo: false, scrollZoom: true, modeBarButtonsToRemove: ["toImage", "autoScale2d"] };
        await plotly.react(element, figure.data, { ...figure.layout, ...layout }, config);
        setState("ready");
        if (element.dataset.listening) return;
        element.dataset.listening = "yes";
        element.on("plotly_click", (event) => handlers.current.onClick?.(event));
        element.on("plotly_selected", (event) => handlers.current.onSelected?.(event ?? null));
        element.on("plotly_deselect", () => handlers.current.onSelected?.(null));
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
      <div ref={host} role="img" aria-label={label} className="plot-host" data-state={state} />
    </div>
  );
}
