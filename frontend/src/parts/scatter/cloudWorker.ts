/** The map's points off the page's thread: lasso, hover and what is in view, over up to a million of them. */
import { insideOf, makeCloud, nearestOf, visibleOf, type Cloud, type Hidden, type Window } from "./cloud";
import type { Point } from "./view";

export type Question =
  | { ask: "load"; x: Uint16Array; y: Uint16Array; group: Uint8Array }
  | { ask: "inside"; polygon: Point[]; off: Uint8Array }
  | { ask: "nearest"; at: Point; reach: number; off: Uint8Array }
  | { ask: "visible"; window: Window; limit: number };

let cloud: Cloud | null = null;
let group: Uint8Array = new Uint8Array();

function reply(question: Question): unknown {
  if (question.ask === "load") {
    cloud = makeCloud(question.x, question.y);
    group = question.group;
    return question.x.length;
  }
  if (!cloud) throw new Error("The map's points have not been loaded.");
  if (question.ask === "visible") return visibleOf(cloud, question.window, question.limit);
  const hidden: Hidden | null = question.off.some(Boolean) ? { group, off: question.off } : null;
  return question.ask === "inside"
    ? insideOf(cloud, question.polygon, hidden)
    : nearestOf(cloud, question.at, question.reach, hidden);
}

self.onmessage = ({ data }: MessageEvent<{ id: number; question: Question }>) => {
  try {
    self.postMessage({ id: data.id, answer: reply(data.question) });
  } catch (error) {
    self.postMessage({ id: data.id, failed: error instanceof Error ? error.message : String(error) });
  }
};
