/** Walks along the thresholds that the server has worked out. Pure. */

interface At {
  threshold: number;
}

/** The place of the nearest threshold; -1 where there is none. */
export function nearestAt(rows: readonly At[], threshold: number): number {
  let best = -1;
  let distance = Infinity;
  rows.forEach((row, at) => {
    const away = Math.abs(row.threshold - threshold);
    if (away < distance) {
      distance = away;
      best = at;
    }
  });
  return best;
}

/** Where a key leads from a place among `length` thresholds; null for a key that means nothing here. */
export function afterKey(key: string, at: number, length: number): number | null {
  const hold = (place: number) => Math.max(0, Math.min(length - 1, place));
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return hold(at - 1);
    case "ArrowRight":
    case "ArrowUp":
      return hold(at + 1);
    case "PageDown":
      return hold(at - 10);
    case "PageUp":
      return hold(at + 10);
    case "Home":
      return hold(0);
    case "End":
      return hold(length - 1);
    default:
      return null;
  }
}
