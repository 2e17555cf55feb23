/** Draws a crowd too large for points: one soft pixel per cell, the fuller the less transparent. */
import type { Density } from "./figure";
import { screenX, screenY, type View } from "./view";

const densities = new WeakMap<Density, HTMLCanvasElement>();

export function paintDensity(context: CanvasRenderingContext2D, density: Density, view: View) {
  let image = densities.get(density);
  if (!image) {
    image = densityImage(density);
    densities.set(density, image);
  }
  const { x0, x1, y0, y1 } = density.extent;
  const left = screenX(view, x0);
  const top = screenY(view, y1);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, left, top, screenX(view, x1) - left, screenY(view, y0) - top);
}

/** One pixel per cell, the fuller the less transparent; the first row is the lowest. */
function densityImage({ rows, columns, value, colour }: Density): HTMLCanvasElement {
  const image = document.createElement("canvas");
  image.width = columns;
  image.height = rows;
  const context = image.getContext("2d");
  let top = 0;
  for (const one of value) top = Math.max(top, one);
  if (!context || top === 0) return image;
  context.fillStyle = colour;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const share = (value[row * columns + column] ?? 0) / top;
      if (share <= 0) continue;
      context.globalAlpha = 0.08 + 0.92 * share;
      context.fillRect(column, rows - 1 - row, 1, 1);
    }
  }
  return image;
}
