/** The chosen mixture of an epoch as curves in samples per bin; null when there is none to show. Pure. */
import type { Epoch } from "@/api/client";

export interface Histogram {
  edges: number[];
  counts: number[];
}

interface Fitted {
  x: number[];
  components: number[][];
  threshold?: number | null;
}

export interface Curves {
  name: "beta" | "gaussian";
  x: number[];
  clean: number[];
  noisy: number[];
  threshold: number | null;
}

/** `scale` is samples × bin width: what turns a density on the loss scale into a height in samples. */
export function readMixture(epoch: Pick<Epoch, "mixtures">, scale: number): Curves | null {
  const { chosen } = epoch.mixtures as { chosen?: string };
  if (chosen !== "beta" && chosen !== "gaussian") return null;
  const fitted = epoch.mixtures[chosen] as Fitted | null | undefined;
  const [clean, noisy] = fitted?.components ?? [];
  if (!fitted || !clean || !noisy) return null;
  const times = (values: number[]) => values.map((value) => (Number.isFinite(value) ? value * scale : 0));
  return {
    name: chosen,
    x: fitted.x,
    clean: times(clean),
    noisy: times(noisy),
    threshold: fitted.threshold ?? null,
  };
}
