/** Where a sample's thumbnail lies in the pictures that the server composes of many. Pure. */

/** The server puts so many images into one picture, row by row. */
export const CELLS = 96;
export const COLUMNS = 12;
/** Sides of a cell that are asked for, in pixels: few, so that pictures are shared between views. */
const SIDES = [64, 128, 192, 256];

/** The colour behind images that do not fill their square: `--na-raised` of each theme. */
export const GROUND = { light: "f3f4f6", dark: "1b1d23" } as const;

/** One composed picture and how many images it holds. */
export interface Picture {
  url: string;
  held: number;
}

export interface Cell {
  /** CSS `background-size` and `background-position` that leave this cell alone in sight. */
  size: string;
  position: string;
}

export interface Look {
  side: number;
  ground: string;
}

/** The smallest side that is sharp for tiles of `size` CSS pixels. */
export function sideFor(size: number, pixelRatio: number): number {
  return SIDES.find((side) => side >= size * pixelRatio) ?? 256;
}

export const pageOf = (position: number): number => Math.floor(position / CELLS);

export const pages = (samples: number): number => Math.ceil(samples / CELLS);

/** The sample indices of one picture of a list. */
export function indicesOf(order: Uint32Array, page: number): number[] {
  return Array.from(order.subarray(page * CELLS, (page + 1) * CELLS));
}

export function atlasUrl(datasetId: string, indices: readonly number[], { side, ground }: Look): string {
  return `/api/datasets/${datasetId}/atlas?indices=${indices.join(",")}&side=${side}&ground=${ground}`;
}

/** Where the sample at `position` of the list lies in its picture. */
export function cellAt({ held }: Picture, position: number): Cell {
  const within = position % CELLS;
  const rows = Math.max(1, Math.ceil(held / COLUMNS));
  const column = within % COLUMNS;
  const row = Math.floor(within / COLUMNS);
  return {
    size: `${COLUMNS * 100}% ${rows * 100}%`,
    position: `${share(column, COLUMNS)} ${share(row, rows)}`,
  };
}

/** CSS counts a background's position as a share of the room that is left over. */
const share = (at: number, of: number) => (of <= 1 ? "0%" : `${(at / (of - 1)) * 100}%`);

/** The pictures that samples from `first` to `last` need, and the ones to have ready around them. */
export function pagesAround(first: number, last: number, samples: number, ahead: number): number[] {
  const from = pageOf(Math.max(0, first));
  const to = Math.min(pageOf(Math.max(0, last)) + ahead, pages(samples) - 1);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);
}
