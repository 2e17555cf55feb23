/** The composed pictures of a list of samples, in the ground and sharpness of this screen. */
import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";

import { atlasUrl, GROUND, indicesOf, pageOf, sideFor, type Picture } from "./atlas";

export interface Atlas {
  /** The picture that holds the sample at a position of the list. */
  at: (position: number) => Picture;
  page: (page: number) => Picture;
}

export function useAtlas(datasetId: string, order: Uint32Array, size: number): Atlas {
  const ground = GROUND[useComputedColorScheme("light", { getInitialValueInEffect: false })];
  const side = sideFor(size, window.devicePixelRatio);
  return useMemo(() => {
    // The same picture is the same object, so that tiles that show it are not drawn anew.
    const made = new Map<number, Picture>();
    const page = (number: number): Picture => {
      const known = made.get(number);
      if (known) return known;
      const indices = indicesOf(order, number);
      const picture = { url: atlasUrl(datasetId, indices, { side, ground }), held: indices.length };
      made.set(number, picture);
      return picture;
    };
    return { page, at: (position) => page(pageOf(position)) };
  }, [datasetId, order, side, ground]);
}
