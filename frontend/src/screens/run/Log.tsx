/** The last lines that a run's process wrote; it follows its end unless one has scrolled away from it. */
import { useLayoutEffect, useRef } from "react";

import type { Run } from "@/api/client";
import { clock, many } from "@/parts/format";
import { Card } from "@/parts/Page";

/** Nearer to the end than this, one wants to see what comes; in pixels. */
const AT_END = 24;

export function Log({ run, live }: { run: Run; live: boolean }) {
  const lines = run.progress.log ?? [];
  const list = useRef<HTMLOListElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    if (following.current) list.current?.scrollTo(0, list.current.scrollHeight);
  }, [run.progress.log]);
  if (lines.length === 0) return null;
  return (
    <Card title="Log" aside={live ? "as it is written" : `the last ${many(lines.length, "line")}`}>
      <ol
        ref={list}
        className="log number"
        tabIndex={0}
        aria-label="Log"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          following.current = scrollHeight - scrollTop - clientHeight < AT_END;
        }}
      >
        {lines.map(({ at, text }, place) => (
          <li key={`${at} ${place} ${text}`}>
            <time className="faint" dateTime={at}>
              {clock(at)}
            </time>
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
