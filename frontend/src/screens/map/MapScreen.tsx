/** The map of all samples: near means alike. Lasso or click some, look at them, decide. */
import { SegmentedControl } from "@mantine/core";
import { IconLasso, IconMap } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { dataset as datasetQuery, mapFigure, run as runQuery, type MapColour } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { Plot } from "@/parts/Plot";
import { indicesOf } from "@/parts/plotly";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { Picked } from "./Picked";
import "./map.css";

const COLOURS: { value: MapColour; label: string }[] = [
  { value: "given", label: "Given" },
  { value: "suggested", label: "Suggested" },
  { value: "posterior", label: "Posterior" },
  { value: "decision", label: "Decision" },
];

type Tool = "lasso" | "select" | "pan";

export function MapScreen() {
  const { runId } = useParams({ from: "/runs/$runId/map" });
  const { colour = "given" } = useSearch({ from: "/runs/$runId/map" });
  const navigate = useNavigate();
  const theme = useFigureTheme();
  const run = useQuery(runQuery(runId)).data;
  const done = run?.status === "succeeded";
  const dataset = useQuery({ ...datasetQuery(run?.dataset_id ?? ""), enabled: run !== undefined }).data;
  const figure = useQuery({ ...mapFigure(runId, colour, theme), enabled: done });
  const [tool, setTool] = useState<Tool>("lasso");
  const [picked, setPicked] = useState<number[]>([]);
  const layout = useMemo(() => ({ dragmode: tool }), [tool]);

  if (run && !done) {
    return (
      <EmptyState icon={<IconMap size={22} stroke={1.6} />} title="No map yet">
        It is drawn at the end of the run, from what the network has learned.
      </EmptyState>
    );
  }
  return (
    <div className="map" data-picked={picked.length > 0 || undefined}>
      <div className="map-main">
        <div className="map-tools">
          <SegmentedControl
            size="xs"
            aria-label="Colour"
            value={colour}
            data={COLOURS}
            onChange={(value) => void navigate({ to: "/runs/$runId/map", params: { runId }, search: { colour: value }, replace: true })}
          />
          <SegmentedControl
            size="xs"
            aria-label="Tool"
            value={tool}
            onChange={(value) => setTool(value)}
            data={[
              { value: "lasso", label: "Lasso" },
              { value: "select", label: "Box" },
              { value: "pan", label: "Move" },
            ]}
          />
          <span className="faint map-hint">
            <IconLasso size={14} aria-hidden /> Circle some samples, or click one. A class in the legend hides and shows it.
          </span>
        </div>
        {figure.isError ? (
          <ErrorState error={figure.error} retry={() => void figure.refetch()} />
        ) : figure.data ? (
          <Plot
            figure={figure.data}
            label={`Map of all samples, coloured by ${colour}`}
            height="calc(100vh - 150px)"
            layout={layout}
            onClick={(event) => setPicked(indicesOf(event))}
            onSelected={(event) => setPicked(event ? indicesOf(event) : [])}
          />
        ) : (
          <div className="page">
            <Loading rows={1} height={420} />
          </div>
        )}
      </div>
      {picked.length > 0 && dataset && (
        <Picked runId={runId} datasetId={dataset.id} classes={dataset.classes} indices={picked} onClose={() => setPicked([])} />
      )}
    </div>
  );
}
