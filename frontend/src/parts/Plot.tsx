/** A figure that the server drew, shown by the plotly.js that it serves; loaded when the first one is needed. */
import { Skeleton } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import type { Figure } from "@/api/queries";

import { FONT } from "@/theme";

import { headingOf } from "./figureHeading";
import { loadPlotly } from "./plotly";
import { ErrorState } from "./States";
import "./plot.css";

/** What the heading leaves above the frame, for plotly's tools. */
const ABOVE = 30;

interface Props {
  figure: Figure;
  label: string;
  height: number | string;
  /** Over what the server's layout says; the same object as long as it says the same. */
  layout?: Record<string, unknown>;
  /** Without heading, tools and zoom, for figures that are only looked at. */
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
          modeBarButtonsToRemove: ["sendChartToCloud", "toImage", "autoScale2d", "select2d", "lasso2d"],
          // Nothing leaves this machine, whatever a later plotly.js offers.
          plotlyServerURL: "",
        };
        const shown = await plotly.react(
          element,
          figure.data,
          {
            ...figure.layout,
            font: { family: FONT },
            // Plotly cuts off a title that is too long; as text of the page it breaks.
            title: undefined,
            // The place says how high it is.
            height: undefined,
            ...layout,
            margin: { ...marginOf(figure), t: ABOVE, ...marginOf({ layout: layout ?? {} }) },
          },
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
  const { title, subtitle } = headingOf(figure);
  return (
    <div className="plot" style={{ height }} role="figure" aria-label={label} data-state={state}>
      {!still && (
        <header className="plot-heading">
          <strong>{title}</strong>
          <span className="dim">{subtitle}</span>
        </header>
      )}
      <div className="plot-room">
        {state === "loading" && <Skeleton height="100%" className="plot-wait" />}
        <div ref={host} className="plot-host" data-clicks={onClick !== undefined || undefined} />
      </div>
    </div>
  );
}

const marginOf = ({ layout }: Pick<Figure, "layout">) => layout.margin as Record<string, number> | undefined;
