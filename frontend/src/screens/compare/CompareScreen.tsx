/** Runs of one dataset side by side: whose flags agree, how they trained, how well, and with which settings. */
import { IconArrowsDiff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";

import { useMay } from "@/accounts/useMay";
import { compareFigure, comparison } from "@/api/evidence";
import { dataset as datasetQuery, runs as runsQuery } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { FigureTable } from "@/parts/FigureTable";
import { LinkButton } from "@/parts/LinkButton";
import { Card, Page } from "@/parts/Page";
import { Plot } from "@/parts/Plot";
import { EmptyState, ErrorState, Loading } from "@/parts/States";

import { inOrder, lettered, lettersOf, readRuns } from "./compare";
import { Metrics, Settings } from "./Metrics";
import { Overlap, Pairs } from "./Overlap";
import { RunPicker } from "./RunPicker";
import "./compare.css";

export function CompareScreen() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId/compare" });
  const { runs: listed } = useSearch({ from: "/datasets/$datasetId/compare" });
  const navigate = useNavigate();
  const theme = useFigureTheme();
  const dataset = useQuery(datasetQuery(datasetId));
  const runs = useQuery(runsQuery(datasetId));
  const finished = useMemo(
    () => runs.data?.items.filter(({ status }) => status === "succeeded") ?? [],
    [runs.data],
  );
  const letters = useMemo(() => lettersOf(finished), [finished]);
  const chosen = useMemo(() => inOrder(readRuns(listed), letters), [listed, letters]);
  const enabled = runs.isSuccess && chosen.length >= 2;
  const asked = useQuery({ ...comparison(datasetId, chosen), enabled });
  const figure = useQuery({ ...compareFigure(datasetId, chosen, theme), enabled });
  const curves = useMemo(
    () => figure.data && lettered(figure.data, chosen, letters),
    [figure.data, chosen, letters],
  );
  const mayRun = useMay(datasetId)("run");
  const failed = dataset.error ?? runs.error;
  if (failed) return <ErrorState error={failed} retry={() => void runs.refetch()} />;
  if (!runs.data || !dataset.data) {
    return (
      <div className="page page-wide">
        <Loading />
      </div>
    );
  }
  if (finished.length < 2) {
    return (
      <EmptyState
        icon={<IconArrowsDiff size={22} stroke={1.6} />}
        title="Two finished audits are needed to compare"
        action={
          mayRun && (
            <LinkButton to="/datasets/$datasetId/new-run" params={{ datasetId }}>
              New audit
            </LinkButton>
          )
        }
      >
        {dataset.data.name} has {finished.length === 1 ? "one" : "none"}.{" "}
        {mayRun
          ? "Audit it again with another recipe or seed: flags on which both agree are the safest."
          : "Flags on which two audits agree are the safest."}
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
        <RunPicker runs={finished} letters={letters} chosen={chosen} onChoose={choose} />
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
                <Overlap comparison={compared} letters={letters} />
              </Card>
              <Card title="Agreement of each pair">
                <Pairs comparison={compared} letters={letters} />
              </Card>
            </div>
            <div className="compare-grid compare-halves">
              <Card title="Results">
                <Metrics runs={compared.runs} letters={letters} />
              </Card>
              <Card title="Settings that differ">
                <Settings runs={compared.runs} settings={compared.settings} letters={letters} />
              </Card>
            </div>
            <Card>
              {figure.isError && <ErrorState error={figure.error} retry={() => void figure.refetch()} />}
              {curves ? (
                <>
                  <Plot
                    figure={curves}
                    label="Training loss and estimated noise rate by epoch, one line a run"
                    height={340}
                  />
                  <FigureTable figure={curves} caption="The runs by epoch" x="Epoch" />
                </>
              ) : (
                !figure.isError && <Loading rows={1} height={340} />
              )}
            </Card>
          </>
        )}
      </div>
    </Page>
  );
}
