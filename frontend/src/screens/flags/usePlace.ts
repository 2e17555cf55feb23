/** Puts the gallery back where it was when one comes back to it by the browser's history. */
import { useLocation } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, type RefObject } from "react";

import type { GridHandle } from "./Grid";
import { Places } from "./places";

const STORED_AS = "noise-audit.places";

const places = new Places({
  read: () => sessionStorage.getItem(STORED_AS),
  write: (text) => sessionStorage.setItem(STORED_AS, text),
});
window.addEventListener("pagehide", () => places.keep());

interface Given {
  /** Whether the grid itself is in front and has something to show. */
  shown: boolean;
  cursor: number | null;
  setCursor: (cursor: number | null) => void;
  grid: RefObject<GridHandle | null>;
}

interface Noting {
  /** To be called with the first position in sight. */
  onFirst: (first: number) => void;
  /** To be called with the sample that is about to be opened: one comes back to it. */
  onLeave: (cursor: number) => void;
}

export function usePlace({ shown, cursor, setCursor, grid }: Given): Noting {
  const entry = useLocation({ select: ({ state }) => state.__TSR_key ?? "" });
  const first = useRef(0);
  /** The entry whose place has been taken up: from then on its place is written down. */
  const taken = useRef<string | null>(null);
  const before = useRef(shown);

  useEffect(() => {
    const cameBack = shown && !before.current;
    before.current = shown;
    if (!shown) {
      taken.current = null;
      return;
    }
    if (taken.current !== entry) {
      taken.current = entry;
      const place = places.get(entry);
      if (place || cameBack) grid.current?.focus();
      if (place) {
        setCursor(place.cursor);
        grid.current?.show(place.first);
        return;
      }
    }
    places.put(entry, { first: first.current, cursor });
  }, [shown, entry, cursor, setCursor, grid]);

  const onFirst = useCallback(
    (now: number) => {
      first.current = now;
      if (taken.current !== null && taken.current === entry) places.put(entry, { first: now, cursor });
    },
    [entry, cursor],
  );
  const onLeave = useCallback((opened: number) => {
    if (taken.current !== null) places.put(taken.current, { first: first.current, cursor: opened });
  }, []);
  return { onFirst, onLeave };
}
