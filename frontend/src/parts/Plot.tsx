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
  /** Over what the server's layout says; the same object as long as it says the same. */
  layout?: Record<string, unknown>;
  /** Without tools and zoom, for figures that are only looked at. */
  still?: boolean;
  /** Hears the `customdata` of what was clicked. */
  onClick?: (customdata: unknown) => void;
}

export function Plot({ figure, label, height, layout, still = false, onClick }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "ready" | { failed: unknown }>("loading");
  const [attempt, setAttempt] = useState(0);
  const clicked = useRef(onClick);
  useEffect(() => {
    clicked.current = onClick;
  });

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
          scrollZoom: !still,
          displayModeBar: still ? false : "hover",
          modeBarButtonsToRemove: ["toImage", "autoScale2d"],
        };
        const shown = await plotly.react(
          element,
          figure.data,
          { ...figure.layout, font: { family: FONT }, ...layout },
          config,
        );
        if (element.dataset.hears === undefined) {
          element.dataset.hears = "";
          shown.on("plotly_click", ({ points }) => clicked.current?.(points[0]?.customdata));
        }
        setState("ready");
      },
      (failed: unknown) => {
        if (!gone) setState({ failed });
      },
    );
    return () => {
      gone = true;
    };
  }, [figure, layout, still, attempt]);

  useEffect(() => {
    const element = host.current;
    return () => {
      if (!element) return;
      delete element.dataset.hears;
      window.Plotly?.purge(element);
    };
  }, []);

  const again = () => {
    setState("loading");
    setAttempt((before) => before + 1);
  };
  if (typeof state === "object") return <ErrorState error={state.failed} retry={again} />;
  return (
    <div className="plot" style={{ height }}>
      {state === "loading" && <Skeleton height="100%" className="plot-wait" />}
      <div
        ref={host}
        role="figure"
        aria-label={label}
        className="plot-host"
        data-state={state}
        data-clicks={onClick !== undefined || undefined}
      />
    </div>
  );
}
