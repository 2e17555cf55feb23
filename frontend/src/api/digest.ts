/** The digest of a file as both ends of an upload make it: SHA-256 over the SHA-256 of each piece of 16 MiB. */

const PIECE = 16 * 2 ** 20;

/** In hexadecimal; null where the browser has no hashes (a page that is neither local nor under TLS). */
export async function digestOf(
  file: Blob,
  hashes: SubtleCrypto | null | undefined = globalThis.crypto.subtle,
) {
  if (!hashes) return null;
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < file.size; start += PIECE) {
    const piece = await file.slice(start, start + PIECE).arrayBuffer();
    pieces.push(new Uint8Array(await hashes.digest("SHA-256", piece)));
  }
  const whole = await hashes.digest("SHA-256", await new Blob(pieces as BlobPart[]).arrayBuffer());
  return [...new Uint8Array(whole)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
