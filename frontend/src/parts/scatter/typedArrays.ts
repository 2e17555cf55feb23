/** Number arrays as plotly's JSON holds them: plain lists, or typed arrays in base64. Pure. */

export type Numbers = ArrayLike<number> & Iterable<number>;

interface Packed {
  dtype: string;
  bdata: string;
  shape?: string;
}

const KINDS = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

/** The numbers of one array; empty for anything that is none. Multi-dimensional ones come row after row. */
export function numbersOf(value: unknown): Numbers {
  if (Array.isArray(value)) return value.flat(2) as number[];
  if (!isPacked(value)) return [];
  const Kind = KINDS[value.dtype.replace(/^[<|]/, "") as keyof typeof KINDS] as
    (typeof KINDS)[keyof typeof KINDS] | undefined;
  if (!Kind) return [];
  const text = atob(value.bdata);
  const raw = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) raw[at] = text.charCodeAt(at);
  return new Kind(raw.buffer);
}

/** Rows and columns of a packed matrix, or null. */
export function shapeOf(value: unknown): [number, number] | null {
  if (Array.isArray(value)) return Array.isArray(value[0]) ? [value.length, value[0].length] : null;
  if (!isPacked(value) || value.shape === undefined) return null;
  const [rows, columns] = value.shape.split(",").map(Number);
  return rows !== undefined && columns !== undefined ? [rows, columns] : null;
}

function isPacked(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && "bdata" in value && "dtype" in value;
}
