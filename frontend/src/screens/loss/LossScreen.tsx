/** The distribution of all losses at one epoch, with both mixtures; how far to trust it, in words. */
import { Slider } from "@mantine/core";
import { IconChartHistogram } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";

import type { Epoch } from "@/api/client";
import { epochs as epochsQuery, lossFigure, run as runQuery } from "@/api/queries";
import { useFigureTheme } from "@/parts/figureTheme";
import { count, figure as digits, percent } from "@/parts/format";
import { Card, Page } from "@/parts/Page";
import { Plot } from "@/parts/Plot";
import { EmptyState, ErrorState, Loading } from "@/parts/States";
import { interval, TrustNote } from "@/screens/run/Findings";

import { MixtureTable } from "./MixtureTable";
import "./loss.css";

const PLOT_HEIGHT = 440;

export function LossScreen() {
  const { runId } = useParams({ from: "/runs/$runId/loss" });
  const { epoch: asked } = useSearch({ from: "/runs/$runId/loss" });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const theme = useFigureTheme();
  const run = useQuery(runQuery(runId)).data;
  const epochs = useQuery(epochsQuery(runId));
  const tracked = epochs.data?.items ?? [];
  const last = tracked.at(-1);
  const at = tracked.find(({ epoch }) => epoch === asked) ?? last;
  const figure = useQuery({ ...lossFigure(runId, at?.epoch, theme), enabled: at !== undefined });

  const around = at?.epoch;
  const newest = last?.epoch ?? 0;
  useEffect(() => {
    if (around === undefined) return;
    for (const near of [around - 1, around + 1]) {
      if (near >= 1 && near <= newest) queries.query(lossFigure(runId, near, theme)).catch(() => undefined);
    }
  }, [around, newest, runId, theme, queries]);

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
        They appear after the first epoch, and grow with every further one.
      </EmptyState>
    );
  }
  const first = tracked[0]?.epoch ?? 1;
  return (
    <Page
      title="Loss"
      width="wide"
      sub="Wrong labels are learned last: their losses stay high, and a mixture of two components tells them apart."
    >
      <div className="grid-side">
        <Card>
          {figure.isError && <ErrorState error={figure.error} retry={() => void figure.refetch()} />}
          {figure.data && (
            <Plot
              figure={figure.data}
              label={`Distribution of all losses after epoch ${at.epoch}, with both mixtures`}
              height={PLOT_HEIGHT}
            />
          )}
          {figure.isPending && <Loading rows={1} height={PLOT_HEIGHT} />}
          <div className="epoch">
            <span className="dim">Epoch</span>
            <Slider
              min={first}
              max={Math.max(last.epoch, first + 1)}
              value={at.epoch}
              label={null}
              thumbLabel="Epoch"
              disabled={tracked.length < 2}
              onChange={(epoch) =>
                void navigate({
                  to: "/runs/$runId/loss",
                  params: { runId },
                  search: { epoch },
                  replace: true,
                })
              }
              style={{ flex: 1 }}
            />
            <strong className="number epoch-at">
              {at.epoch} <span className="faint">of {run.progress.epochs ?? last.epoch}</span>
            </strong>
          </div>
        </Card>
        <div className="stack">
          <TrustNote trust={at === last && run.trust ? run.trust : at.trust} />
          <Card title="Noise rate">
            <div className="loss-rate number">{rateOf(at) === null ? "–" : percent(rateOf(at) ?? 0)}</div>
            <p className="dim loss-words">
              estimated after epoch {at.epoch}
              {at === last && run.noise_rate != null && (
                <>
                  . The finished run says <b>{percent(run.noise_rate)}</b>
                  {run.noise_rate_interval && `, 95 %: ${interval(run.noise_rate_interval)}`}
                  {run.flagged != null && run.samples != null && (
                    <>
                      , and flags <b>{count(run.flagged)}</b> of {count(run.samples)} samples
                      {run.threshold != null && ` from a threshold of ${digits(run.threshold)}`}
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
