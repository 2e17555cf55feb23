/** Linear scales and round tick values for the small charts. Pure. */

export interface Scale {
  (value: number): number;
  domain: [number, number];
}

export function linear(domain: [number, number], range: [number, number]): Scale {
  const [d0, d1] = domain;
  const [r0, r1] = range;
  // A domain of one point sits in the middle.
  const map = (value: number) => (d1 === d0 ? (r0 + r1) / 2 : r0 + ((value - d0) / (d1 - d0)) * (r1 - r0));
  return Object.assign(map, { domain });
}

/** About `wanted` round values inside the domain: steps of 1, 2 or 5 times a power of ten. */
export function ticks([low, high]: [number, number], wanted: number): number[] {
  const span = high - low;
  if (!(span > 0) || wanted < 1) return [low];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999) ?? power * 10;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}

/** As `ticks`, but at least two where the domain has room for them. */
export function twoTicks(domain: [number, number], wanted: number): number[] {
  for (let more = Math.max(2, wanted); more <= 6; more += 1) {
    const found = ticks(domain, more);
    if (found.length >= 2) return found;
  }
  return ticks(domain, 6);
}

/** Smallest and largest of the values, with a share of room; never an empty span. */
export function extent(values: number[], room = 0.06): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const margin = high > low ? (high - low) * room : Math.abs(high) * 0.1 || 0.5;
  return [low - margin, high + margin];
}
