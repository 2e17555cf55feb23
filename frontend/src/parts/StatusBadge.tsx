/** A status as dot, icon and word: colour never speaks alone. */
import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleOff,
  IconCircleX,
  IconLoader2,
  type Icon,
} from "@tabler/icons-react";
import type { ReactNode } from "react";

import "./status.css";

type Status = "importing" | "ready" | "queued" | "running" | "succeeded" | "failed" | "cancelled";

const LOOK: Record<Status, { word: string; tone: string; icon: Icon }> = {
  importing: { word: "Importing", tone: "accent", icon: IconLoader2 },
  ready: { word: "Ready", tone: "good", icon: IconCircleCheck },
  queued: { word: "Waiting", tone: "dim", icon: IconCircleDashed },
  running: { word: "Running", tone: "accent", icon: IconLoader2 },
  succeeded: { word: "Finished", tone: "good", icon: IconCircleCheck },
  failed: { word: "Failed", tone: "bad", icon: IconCircleX },
  cancelled: { word: "Stopped", tone: "dim", icon: IconCircleOff },
};

export function StatusBadge({ status }: { status: Status }) {
  const { word, tone, icon: Shape } = LOOK[status];
  const turning = Shape === IconLoader2;
  return (
    <span className={`status status-${tone}`} data-status={status}>
      <Shape size={14} stroke={2} className={turning ? "status-turning" : undefined} aria-hidden />
      {word}
    </span>
  );
}

/** The same look for what is no status of a dataset or run. */
export function StatusMark({ tone, children }: { tone: "good" | "dim"; children: ReactNode }) {
  const Shape = tone === "good" ? IconCircleCheck : IconCircleOff;
  return (
    <span className={`status status-${tone}`}>
      <Shape size={14} stroke={2} aria-hidden />
      {children}
    </span>
  );
}
