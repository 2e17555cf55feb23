/** Many small discs written into an image's pixels: no call of the canvas per point. Pure. */

export interface Dots {
  width: number;
  height: number;
  /** One little-endian RGBA value a pixel. */
  pixels: Uint32Array;
}

/** #rrggbb with an opacity in [0, 1] as one pixel. */
export function pixelOf(colour: string, opacity: number): number {
  const value = Number.parseInt(colour.replace("#", ""), 16) || 0;
  const alpha = Math.round(opacity * 255);
  return ((alpha << 24) | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/** How far the pixels of a disc lie from its middle, x and y in turn. */
export function discOf(diameter: number): Int16Array {
  // A little more than half, or small discs look like diamonds.
  const radius = diameter / 2 + 0.25;
  const reach = Math.ceil(radius);
  const found: number[] = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) if (dx * dx + dy * dy <= radius * radius) found.push(dx, dy);
  }
  return Int16Array.from(found);
}

/** A later disc covers an earlier one; what lies outside the image is left out. */
export function dot({ width, height, pixels }: Dots, x: number, y: number, disc: Int16Array, pixel: number) {
  const middleX = Math.round(x);
  const middleY = Math.round(y);
  for (let at = 0; at < disc.length; at += 2) {
    const column = middleX + (disc[at] ?? 0);
    const row = middleY + (disc[at + 1] ?? 0);
    if (column >= 0 && row >= 0 && column < width && row < height) pixels[row * width + column] = pixel;
  }
}
