/** The map of all samples: near means alike. Lasso, click or filter some, look at them, decide. */
import { SegmentedControl } from "@mantine/core";
import { IconLasso, IconMap } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { mapPoints } from "@/api/evidence";
import { dataset as datasetQuery, mapFigure, run as runQuery, type MapColour } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { count } from "@/parts/format";
import { ScatterMap, type Tool } from "@/parts/scatter/ScatterMap";
import { EmptyState, ErrorState, Loading } from "@/parts/States";
import { Thumb } from "@/parts/Thumb";

import { PickBy } from "./PickBy";
import { Picked } from "./Picked";
import { usePicked } from "./usePicked";
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
  const crowded = figure.data?.data.some(({ type }) => type === "heatmap") ?? false;
  const points = useQuery({ ...mapPoints(runId, colour), enabled: crowded });
  const [tool, setTool] = useState<Tool>("lasso");
  const picked = usePicked(runId, done);
  const some = picked.indices !== null && picked.indices.length > 0 ? picked.indices : null;

  if (run && !done) {
    return (
      <EmptyState icon={<IconMap size={22} stroke={1.6} />} title="No map yet">
        {run.status === "failed" || run.status === "cancelled"
          ? "This run ended before its map was drawn."
          : "It is drawn at the end of the run."}
      </EmptyState>
    );
  }
  const problem = points.error ?? (some ? null : picked.error);
  return (
    <div className="map" data-picked={some !== null || undefined}>
      <main className="map-main">
        <h1 className="visually-hidden">Map</h1>
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
                search: (now) => ({ ...now, colour: value }),
                replace: true,
              })
            }
          />
          <SegmentedControl size="xs" aria-label="Tool" value={tool} onChange={setTool} data={TOOLS} />
          {dataset && <PickBy classes={dataset.classes} search={picked.search} onPick={picked.filterBy} />}
          <span className="faint map-hint" role="status">
            {picked.fetching ? (
              "finding them…"
            ) : picked.indices?.length === 0 ? (
              "No sample is like that."
            ) : (
              <>
                <IconLasso size={14} aria-hidden /> {HINTS[tool]}
                {run?.map_from && ` Drawn from ${run.map_from}.`}
              </>
            )}
          </span>
        </div>
        <div className="map-plot">
          {figure.isError || problem !== null ? (
            <ErrorState
              error={figure.error ?? problem}
              retry={() => {
                void figure.refetch();
                if (crowded) void points.refetch();
              }}
            />
          ) : figure.data && dataset ? (
            <ScatterMap
              figure={figure.data}
              all={points.data ?? null}
              label={`Map of all ${count(dataset.sample_count)} samples, coloured by ${colour}`}
              tool={tool}
              picked={some}
              onPick={picked.pick}
              tip={(index, group) => (
                <div className="scatter-tip">
                  <Thumb datasetId={dataset.id} index={index} alt="" eager />
                  <div>
                    <div className="faint">sample {index}</div>
                    {group !== null && <b>{group.replace(/ \([\d,]+\)$/, "")}</b>}
                  </div>
                </div>
              )}
            />
          ) : (
            <Loading rows={1} height={420} />
          )}
        </div>
      </main>
      {some && dataset && (
        <Picked
          runId={runId}
          datasetId={dataset.id}
          classes={dataset.classes}
          samples={some.length}
          search={picked.search}
          filter={picked.filter}
          problem={picked.error}
          onClose={picked.clear}
        />
      )}
    </div>
  );
}

const HINTS: Record<Tool, string> = {
  lasso: "Circle some samples or click one; the wheel zooms, Shift moves.",
  box: "Draw a box around some or click one; the wheel zooms, Shift moves.",
  move: "Drag to move, or click what shall be in the middle; the wheel zooms.",
};
