/** A set of sample indices as one bit each, the lowest bit of a byte first. Pure. */

/** Up to the byte of the largest index; `indices` ascending. */
export function bitmapOf(indices: Uint32Array): Uint8Array {
  const last = indices.at(-1);
  const bits = new Uint8Array(last === undefined ? 0 : (last >> 3) + 1);
  for (const index of indices) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return bits;
}

/** A call with all bytes at once would overflow the stack. */
const CHUNK = 0x8000;

export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}
