/** Where the noise is: per class, and from which given label to which suggested one. */
import { Switch } from "@mantine/core";
import { IconTable } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { classesFigure, classNoise, matrixFigure, type Cell, type ClassNoise } from "@/api/evidence";
import { dataset as datasetQuery, run as runQuery } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { count, many } from "@/parts/format";
import { Card, Page } from "@/parts/Page";
import { Plot } from "@/parts/Plot";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { CellPanel } from "./CellPanel";
import { CellTable, ClassRows } from "./ClassTables";
import "./classes.css";

export function ClassesScreen() {
  const { runId } = useParams({ from: "/runs/$runId/classes" });
  const run = useQuery(runQuery(runId)).data;
  const done = run?.status === "succeeded";
  const dataset = useQuery({ ...datasetQuery(run?.dataset_id ?? ""), enabled: run !== undefined });
  const noise = useQuery({ ...classNoise(runId), enabled: done });
  if (run && !done) {
    return (
      <EmptyState icon={<IconTable size={22} stroke={1.6} />} title="No classes to compare yet">
        {run.status === "failed" || run.status === "cancelled"
          ? "This run ended before it published flags."
          : "Noise per class is counted from the flags, when the run has finished."}
      </EmptyState>
    );
  }
  const failed = noise.error ?? dataset.error;
  if (failed) return <ErrorState error={failed} retry={() => void noise.refetch()} />;
  if (!noise.data || !dataset.data) {
    return (
      <div className="page page-wide">
        <Loading rows={2} height={260} />
      </div>
    );
  }
  return (
    <Classes
      runId={runId}
      datasetId={dataset.data.id}
      classes={dataset.data.classes}
      noise={noise.data}
      flagged={run?.flagged ?? 0}
    />
  );
}

interface ClassesProps {
  runId: string;
  datasetId: string;
  classes: string[];
  noise: ClassNoise;
  flagged: number;
}

const ROW = 22;
const MOST_HIGH = 640;

function Classes({ runId, datasetId, classes, noise, flagged }: ClassesProps) {
  const search = useSearch({ from: "/runs/$runId/classes" });
  const navigate = useNavigate();
  const theme = useFigureTheme();
  const bars = useQuery(classesFigure(runId, theme));
  const matrix = useQuery(matrixFigure(runId, search.diagonal === true, theme));
  const chosen = noise.cells.find(
    ({ given, suggested }) => given === search.given && suggested === search.suggested,
  );
  const go = (change: Partial<typeof search>) => {
    const { given, suggested, diagonal } = { ...search, ...change };
    void navigate({
      to: "/runs/$runId/classes",
      params: { runId },
      search: {
        ...(given !== undefined && suggested !== undefined && { given, suggested }),
        ...(diagonal && { diagonal }),
      },
      replace: true,
      resetScroll: false,
    });
  };
  const choose = (cell: Pick<Cell, "given" | "suggested"> | null) =>
    go({ given: cell?.given, suggested: cell?.suggested });
  const height = Math.min(MOST_HIGH, Math.max(260, 110 + classes.length * ROW));

  return (
    <Page
      title="Classes"
      width="wide"
      sub={`${many(flagged, "flag")} in ${many(classes.length, "class", "classes")}: where labels are wrong, and what they should be instead`}
    >
      <div className="classes-grid" data-chosen={chosen !== undefined || undefined}>
        <Card>
          {bars.isError && <ErrorState error={bars.error} retry={() => void bars.refetch()} />}
          {bars.data ? (
            <Plot
              figure={bars.data}
              label="Estimated noise rate of each class with its 95 % interval"
              height={height}
              onClick={(given) => {
                if (typeof given === "number")
                  void navigate({ to: "/runs/$runId/flags", params: { runId }, search: { given } });
              }}
            />
          ) : (
            !bars.isError && <Loading rows={1} height={height} />
          )}
          <ClassRows runId={runId} classes={classes} items={noise.items} />
        </Card>
        <Card>
          {matrix.isError && <ErrorState error={matrix.error} retry={() => void matrix.refetch()} />}
          {matrix.data ? (
            <Plot
              figure={matrix.data}
              label={
                search.diagonal
                  ? "How many samples have each given and suggested label"
                  : "How many flagged samples go from each given to each suggested label"
              }
              height={height}
              onClick={(pair) => {
                const [given, suggested] = (Array.isArray(pair) ? pair : []) as number[];
                if (given !== undefined && suggested !== undefined) choose({ given, suggested });
              }}
            />
          ) : (
            !matrix.isError && <Loading rows={1} height={height} />
          )}
          <div className="classes-options">
            <Switch
              size="xs"
              label="With the diagonal (all samples)"
              checked={search.diagonal === true}
              onChange={(event) => go({ diagonal: event.currentTarget.checked || undefined })}
            />
            <span className="faint">A cell opens its samples.</span>
          </div>
          <CellTable classes={classes} cells={noise.cells} chosen={chosen ?? null} onChoose={choose} />
        </Card>
        {chosen && (
          <CellPanel
            key={`${chosen.given}-${chosen.suggested}`}
            runId={runId}
            datasetId={datasetId}
            classes={classes}
            cell={chosen}
            onClose={() => choose(null)}
          />
        )}
      </div>
      {noise.cells.length === 0 && (
        <p className="dim classes-none">
          Nothing is flagged ({count(flagged)} flags), so there is no cell to open.
        </p>
      )}
    </Page>
  );
}
