/** Which samples are selected, by sample index; ranges follow the order on screen. Pure. */

/** Sample indices in the order in which they are shown. */
export interface Order extends Iterable<number> {
  readonly length: number;
  indexOf(index: number): number;
  at(position: number): number | undefined;
  slice(from: number, to: number): Iterable<number>;
}

export interface Selection {
  chosen: ReadonlySet<number>;
  /** Where the next range begins. */
  anchor: number | null;
}

export const NOTHING: Selection = { chosen: new Set(), anchor: null };

export function toggle(selection: Selection, index: number): Selection {
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(index)) chosen.add(index);
  return { chosen, anchor: index };
}

/** Adds everything between the anchor and `index` in `order`. */
export function extend(selection: Selection, index: number, order: Order): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(index);
  if (from < 0 || to < 0) return toggle(selection, index);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { chosen: new Set([...selection.chosen, ...range]), anchor: selection.anchor };
}

/** Where the cursor goes: `by` steps from `index`, held inside the list; the first when it is not in it. */
export function step(order: Order, index: number | null, by: number): number | null {
  if (order.length === 0) return null;
  const at = index === null ? -1 : order.indexOf(index);
  if (at < 0) return order.at(0) ?? null;
  return order.at(Math.max(0, Math.min(order.length - 1, at + by))) ?? null;
}
