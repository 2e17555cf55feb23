/** Where a scale of small shares ends. Pure. */

const STEPS = [0.05, 0.1, 0.2, 0.3, 0.5, 1];

/** The first round share above all the intervals, so that a rate of a few per cent is not a speck at zero. */
export function scaleTop(estimates: readonly ({ high: number } | null | undefined)[]): number {
  const highest = Math.max(0, ...estimates.map((estimate) => estimate?.high ?? 0));
  return STEPS.find((step) => highest <= step) ?? 1;
}
