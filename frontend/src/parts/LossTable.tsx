/** The losses of all samples at one epoch in numbers. */
import type { Epoch } from "@/api/client";

import { ChartTable } from "./ChartTable";
import { afterEpoch, count, figure } from "./format";
import type { Histogram } from "./mixture";

export function LossTable({ epoch }: { epoch: Epoch }) {
  const { edges, counts } = epoch.histogram as unknown as Histogram;
  return (
    <ChartTable
      caption={`Losses of all samples${afterEpoch(epoch.epoch)}`}
      head={["Loss from (nats)", "to", "Samples"]}
      rows={counts.map((number, bin) => [
        figure(edges[bin] ?? 0),
        figure(edges[bin + 1] ?? 0),
        count(number),
      ])}
    />
  );
}
