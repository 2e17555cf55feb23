/** Which samples are points again: those in view, once zooming in has left few enough of them. */
import { useEffect, useState } from "react";

import type { CloudClient } from "./useCloud";
import { windowOf, type View } from "./view";

/** So many stamps are drawn in a frame without a stutter (software rendering). */
export const NEAR_AT_MOST = 20_000;
const AFTER_MS = 90;

interface Near {
  view: View;
  indices: Uint32Array | null;
}

export function useNear(cloud: CloudClient | null, view: View, width: number, height: number) {
  const [near, setNear] = useState<Near | null>(null);
  useEffect(() => {
    if (!cloud || width === 0) return;
    let gone = false;
    const timer = setTimeout(() => {
      void cloud.visible(windowOf(view, width, height), NEAR_AT_MOST).then(
        (indices) => !gone && setNear({ view, indices }),
        () => undefined,
      );
    }, AFTER_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [cloud, view, width, height]);
  // While one moves on, the last answer stays: it is right wherever it still lies in view.
  return cloud ? (near?.indices ?? null) : null;
}
