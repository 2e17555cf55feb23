/** Runs of one dataset side by side: whose flags agree, how they trained, how well, and with which settings. */
import { IconArrowsDiff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";

import { compareFigure, comparison } from "@/api/evidence";
import { dataset as datasetQuery, runs as runsQuery } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { FigureTable } from "@/parts/FigureTable";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page } from "@/parts/Page";
import { Plot } from "@/parts/Plot";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { readRuns } from "./compare";
import { Metrics, Settings } from "./Metrics";
import { Overlap, Pairs } from "./Overlap";
import { RunPicker } from "./RunPicker";
import "./compare.css";

export function CompareScreen() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId/compare" });
  const { runs: listed } = useSearch({ from: "/datasets/$datasetId/compare" });
  const chosen = useMemo(() => readRuns(listed), [listed]);
  const navigate = useNavigate();
  const theme = useFigureTheme();
  const dataset = useQuery(datasetQuery(datasetId));
  const runs = useQuery(runsQuery(datasetId));
  const asked = useQuery(comparison(datasetId, chosen));
  const figure = useQuery(compareFigure(datasetId, chosen, theme));
  const failed = dataset.error ?? runs.error;
  if (failed) return <ErrorState error={failed} retry={() => void runs.refetch()} />;
  if (!runs.data || !dataset.data) {
    return (
      <div className="page page-wide">
        <Loading />
      </div>
    );
  }
  const finished = runs.data.items.filter(({ status }) => status === "succeeded");
  if (finished.length < 2) {
    return (
      <EmptyState
        icon={<IconArrowsDiff size={22} stroke={1.6} />}
        title="Two finished audits are needed to compare"
        action={
          <LinkButton to="/datasets/$datasetId/new-run" params={{ datasetId }}>
            New audit
          </LinkButton>
        }
      >
        {dataset.data.name} has {finished.length === 1 ? "one" : "none"}. Audit it again with another recipe
        or seed: flags on which both agree are the safest.
      </EmptyState>
    );
  }
  const choose = (ids: string[]) =>
    void navigate({
      to: "/datasets/$datasetId/compare",
      params: { datasetId },
      search: ids.length > 0 ? { runs: ids.join() } : {},
      replace: true,
      resetScroll: false,
    });
  const compared = asked.data && chosen.length >= 2 ? asked.data : null;
  return (
    <Page
      title="Compare"
      width="wide"
      sub={`Audits of ${dataset.data.name}: flags on which several agree are the safest, those of one alone the most worth a look.`}
    >
      <div className="stack">
        <RunPicker runs={finished} chosen={chosen} onChoose={choose} />
        {chosen.length < 2 && (
          <p className="dim compare-hint">
            Choose {chosen.length === 1 ? "one more" : "two, three or four"} to compare.
          </p>
        )}
        {asked.isError && <ErrorState error={asked.error} retry={() => void asked.refetch()} />}
        {chosen.length >= 2 && asked.isPending && <Loading rows={2} height={220} />}
        {compared && (
          <>
            <div className="compare-grid">
              <Card title="Flags shared and not" aside="samples flagged by exactly these">
                <Overlap comparison={compared} />
              </Card>
              <Card title="Agreement of each pair">
                <Pairs comparison={compared} />
              </Card>
            </div>
            <Card title="Results">
              <Metrics runs={compared.runs} />
            </Card>
            <Card>
              {figure.isError && <ErrorState error={figure.error} retry={() => void figure.refetch()} />}
              {figure.data ? (
                <>
                  <Plot
                    figure={figure.data}
                    label="Training loss and estimated noise rate by epoch, one line a run"
                    height={340}
                  />
                  <FigureTable figure={figure.data} caption="The runs by epoch" x="Epoch" />
                </>
              ) : (
                !figure.isError && <Loading rows={1} height={340} />
              )}
            </Card>
            <Card title="Settings that differ">
              <Settings runs={compared.runs} />
            </Card>
          </>
        )}
      </div>
    </Page>
  );
}
