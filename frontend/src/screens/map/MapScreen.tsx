/** The map of all samples: near means alike. Lasso or click some, look at them, decide. */
import { SegmentedControl } from "@mantine/core";
import { IconLasso, IconMap } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { dataset as datasetQuery, mapFigure, run as runQuery, type MapColour } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { ScatterMap, type Tool } from "@/parts/scatter/ScatterMap";
import { EmptyState, ErrorState, Loading } from "@/parts/States";
import { Thumb } from "@/parts/Thumb";

import { Picked } from "./Picked";
import "./map.css";

const COLOURS: { value: MapColour; label: string }[] = [
  { value: "given", label: "Given" },
  { value: "suggested", label: "Suggested" },
  { value: "posterior", label: "Posterior" },
  { value: "decision", label: "Decision" },
];

const TOOLS: { value: Tool; label: string }[] = [
  { value: "lasso", label: "Lasso" },
  { value: "box", label: "Box" },
  { value: "move", label: "Move" },
];

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
            onChange={(value) =>
              void navigate({
                to: "/runs/$runId/map",
                params: { runId },
                search: { colour: value },
                replace: true,
              })
            }
          />
          <SegmentedControl size="xs" aria-label="Tool" value={tool} onChange={setTool} data={TOOLS} />
          <span className="faint map-hint">
            <IconLasso size={14} aria-hidden /> Circle some samples or click one; the wheel zooms, Shift
            moves.
          </span>
        </div>
        <div className="map-plot">
          {figure.isError ? (
            <ErrorState error={figure.error} retry={() => void figure.refetch()} />
          ) : figure.data && dataset ? (
            <ScatterMap
              figure={figure.data}
              label={`Map of all samples, coloured by ${colour}`}
              tool={tool}
              picked={picked}
              onPick={setPicked}
              tip={(index, group) => (
                <div className="scatter-tip">
                  <Thumb datasetId={dataset.id} index={index} alt="" eager />
                  <div>
                    <div className="faint">sample {index}</div>
                    <b>{group.replace(/ \([\d,]+\)$/, "")}</b>
                  </div>
                </div>
              )}
            />
          ) : (
            <Loading rows={1} height={420} />
          )}
        </div>
      </div>
      {picked.length > 0 && dataset && (
        <Picked
          runId={runId}
          datasetId={dataset.id}
          classes={dataset.classes}
          indices={picked}
          onClose={() => setPicked([])}
        />
      )}
    </div>
  );
}
