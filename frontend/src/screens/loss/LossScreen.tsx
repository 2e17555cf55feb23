/** The distribution of all losses at one epoch, with both mixtures; the threshold of the flags; how far to trust it. */
import { Slider } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChartHistogram } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { isTrained, type Epoch } from "@/api/client";
import { lossFigures } from "@/api/evidence";
import { epochs as epochsQuery, run as runQuery } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { afterEpoch, count, figure as digits, percent } from "@/parts/format";
import { LossTable } from "@/parts/LossTable";
import { Card, Page } from "@/parts/Page";
import { Plot } from "@/parts/Plot";
import { EmptyState, ErrorState, Loading } from "@/parts/States";
import { interval, TrustNote } from "@/screens/run/Findings";

import { MixtureTable } from "./MixtureTable";
import { ThresholdCard } from "./ThresholdCard";
import "./loss.css";

const PLOT_HEIGHT = 400;
const RESTING_MS = 250;
/** Where the plot has no room for its legend beside the curves. */
const NARROW = "(max-width: 760px)";
const LEGEND_HEIGHT = 110;
const LEGEND_BELOW = {
  legend: { orientation: "h", x: 0, xanchor: "left", y: -0.2, yanchor: "top", font: { size: 11 } },
  margin: { l: 44, r: 8, b: LEGEND_HEIGHT + 50 },
};

export function LossScreen() {
  const { runId } = useParams({ from: "/runs/$runId/loss" });
  const { epoch: addressed } = useSearch({ from: "/runs/$runId/loss" });
  const navigate = useNavigate();
  const theme = useFigureTheme();
  const narrow = useMediaQuery(NARROW);
  const run = useQuery(runQuery(runId)).data;
  const epochs = useQuery(epochsQuery(runId));
  const tracked = epochs.data?.items ?? [];
  const last = tracked.at(-1);
  // While the slider moves its epoch is only here; where it comes to rest stands in the address.
  const [sliding, setSliding] = useState<number | null>(null);
  useEffect(() => {
    if (sliding === null) return;
    const timer = setTimeout(() => {
      void navigate({
        to: "/runs/$runId/loss",
        params: { runId },
        search: { epoch: sliding },
        replace: true,
      }).then(() => setSliding((now) => (now === sliding ? null : now)));
    }, RESTING_MS);
    return () => clearTimeout(timer);
  }, [sliding, navigate, runId]);
  const asked = sliding ?? addressed;
  const at = tracked.find(({ epoch }) => epoch === asked) ?? last;
  const figures = useQuery({ ...lossFigures(runId, last?.epoch ?? 0, theme), enabled: last !== undefined });
  const figure = figures.data?.items.find(({ epoch }) => epoch === at?.epoch);

  if (epochs.isError) return <ErrorState error={epochs.error} retry={() => void epochs.refetch()} />;
  if (epochs.isPending || !run) {
    return (
      <div className="page page-wide">
        <Loading rows={2} height={200} />
      </div>
    );
  }
  if (!at || !last) {
    return (
      <EmptyState icon={<IconChartHistogram size={22} stroke={1.6} />} title="No losses yet">
        {run.status === "failed" || run.status === "cancelled"
          ? "This run ended before its first epoch did."
          : "They appear after the first epoch, and grow with every further one."}
      </EmptyState>
    );
  }
  const first = tracked[0]?.epoch ?? 1;
  return (
    <Page
      title="Loss"
      width="wide"
      sub={
        isTrained(run)
          ? "Wrong labels are learned last: their losses stay high, and a mixture of two components tells them apart."
          : "What your predictions say against the given labels: wrong labels have high losses. The flags rest on the predicted probabilities of all classes."
      }
    >
      <div className="grid-side">
        <div className="stack">
          <Card>
            {figures.isError && <ErrorState error={figures.error} retry={() => void figures.refetch()} />}
            {figure && (
              <Plot
                figure={figure}
                label={`Distribution of all losses${afterEpoch(at.epoch)}, with both mixtures`}
                height={narrow ? PLOT_HEIGHT + LEGEND_HEIGHT : PLOT_HEIGHT}
                layout={narrow ? LEGEND_BELOW : undefined}
              />
            )}
            {!figure && !figures.isError && <Loading rows={1} height={PLOT_HEIGHT} />}
            {last.epoch > 0 && (
              <div className="epoch">
                <span className="dim">Epoch</span>
                <Slider
                  min={first}
                  max={Math.max(last.epoch, first + 1)}
                  value={at.epoch}
                  label={null}
                  thumbLabel="Epoch"
                  disabled={tracked.length < 2}
                  onChange={setSliding}
                  style={{ flex: 1 }}
                />
                <strong className="number epoch-at">
                  {at.epoch} <span className="faint">of {run.progress.epochs ?? last.epoch}</span>
                </strong>
              </div>
            )}
            <LossTable epoch={at} />
          </Card>
          {run.status === "succeeded" && <ThresholdCard runId={runId} />}
        </div>
        <div className="stack">
          <TrustNote trust={at === last && run.trust ? run.trust : at.trust} />
          <Card title="Noise rate">
            <div className="loss-rate number">{rateOf(at) === null ? "–" : percent(rateOf(at) ?? 0)}</div>
            <p className="dim loss-words">
              estimated{last.epoch > 0 ? afterEpoch(at.epoch) : " from these losses"}
              {at === last && run.noise_rate != null && (
                <>
                  . The finished run says <b>{percent(run.noise_rate)}</b>
                  {run.noise_rate_interval && `, 95 %: ${interval(run.noise_rate_interval)}`}
                  {run.flagged != null && run.samples != null && (
                    <>
                      , and flags <b>{count(run.flagged)}</b> of {count(run.samples)} samples
                      {run.threshold != null && ` from a posterior of ${digits(run.threshold)}`}
                    </>
                  )}
                  .
                </>
              )}
            </p>
          </Card>
          <MixtureTable epoch={at} />
        </div>
      </div>
    </Page>
  );
}

function rateOf(epoch: Epoch): number | null {
  const rate: unknown = epoch.metrics.noise_rate;
  return typeof rate === "number" ? rate : null;
}
