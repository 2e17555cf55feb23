/** From which noise posterior on a sample is flagged, and what one would get for another threshold. */
import { NumberInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";

import { posteriorFigure, thresholds as thresholdsQuery } from "@/api/evidence";
import { ChartTable } from "@/parts/ChartTable";
import { useFigureTheme } from "@/parts/figureTheme";
import { count, figure as digits, many, percent } from "@/parts/format";
import { Card, Stat } from "@/parts/Page";
import { ErrorState, Loading } from "@/parts/States";

import { ThresholdLine } from "./ThresholdLine";
import { nearestAt } from "./thresholds";

/** Not drawn again while the epoch moves: nothing here depends on it. */
export const ThresholdCard = memo(function ThresholdCard({ runId }: { runId: string }) {
  const theme = useFigureTheme();
  const asked = useQuery(thresholdsQuery(runId));
  const figure = useQuery(posteriorFigure(runId, theme));
  const [moved, setMoved] = useState<number | null>(null);
  if (asked.isError || figure.isError) {
    return (
      <Card title="Threshold">
        <ErrorState
          error={asked.error ?? figure.error}
          retry={() => {
            void asked.refetch();
            void figure.refetch();
          }}
        />
      </Card>
    );
  }
  if (asked.isPending || figure.isPending) {
    return (
      <Card title="Threshold">
        <Loading rows={1} height={250} />
      </Card>
    );
  }
  const { items, threshold: own, samples } = asked.data;
  const ownAt = nearestAt(items, own ?? 0.5);
  const at = moved ?? ownAt;
  const row = items[at];
  if (!row) return null;
  return (
    <Card
      title="Noise posterior of every sample"
      aside={own == null ? "this run set no threshold" : `the run's threshold: ${digits(own)}`}
    >
      <p className="dim threshold-words">
        Flags are set on the posterior, not on the loss above: it comes from all epochs and all scores, so it
        is no function of the last loss. Move the line to see what another threshold would flag.
      </p>
      <ThresholdLine figure={figure.data} rows={items} at={at} onMove={setMoved} />
      <div className="threshold-controls">
        <NumberInput
          label="Threshold"
          size="xs"
          w={96}
          min={0.01}
          max={0.99}
          step={0.01}
          decimalScale={4}
          clampBehavior="blur"
          value={row.threshold}
          onChange={(value) => typeof value === "number" && setMoved(nearestAt(items, value))}
        />
        <div className="stats threshold-stats" role="status">
          <Stat
            name="Flagged"
            value={count(row.flagged)}
            note={`${percent(row.flagged / Math.max(1, samples))} of all`}
          />
          <Stat
            name="Expected precision"
            value={share(row.expected_precision)}
            note="of these are really wrong"
          />
          <Stat name="Expected recall" value={share(row.expected_recall)} note="of all wrong ones are here" />
        </div>
      </div>
      <div className="threshold-actions">
        <Link
          to="/runs/$runId/flags"
          params={{ runId }}
          search={{ show: "all", min: row.threshold }}
          className="note-go"
          disabled={row.flagged === 0}
        >
          Show {row.flagged === 1 ? "this one" : `these ${count(row.flagged)}`} in the gallery
        </Link>
        {at !== ownAt && (
          <button type="button" className="more" onClick={() => setMoved(null)}>
            Back to the run's own
          </button>
        )}
      </div>
      <ChartTable
        summary="Thresholds as a table"
        caption="What each threshold would flag"
        head={["Threshold", "Flagged", "Expected precision", "Expected recall"]}
        rows={items.map((one) => [
          one.threshold === own ? `${digits(one.threshold)} (the run's)` : digits(one.threshold),
          count(one.flagged),
          share(one.expected_precision),
          share(one.expected_recall),
        ])}
      />
      <ChartTable
        summary="Posteriors as a table"
        caption={`Noise posteriors of ${many(samples, "sample")}`}
        head={["Posterior from", "to", "Samples"]}
        rows={asked.data.counts.map((number, bin) => [
          (asked.data.edges[bin] ?? 0).toFixed(2),
          (asked.data.edges[bin + 1] ?? 1).toFixed(2),
          count(number),
        ])}
      />
    </Card>
  );
});

const share = (value: number | null | undefined) => (value == null ? "–" : percent(value));
