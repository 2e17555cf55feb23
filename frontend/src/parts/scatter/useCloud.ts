/** Keeps the map's points in a worker and asks it; one worker a map, gone with it. */
import { useEffect, useState } from "react";

import type { Window } from "./cloud";
import type { Question } from "./cloudWorker";
import type { Point } from "./view";

/** Positions of all samples by index (0 to 65 535), and to which of the figure's groups each belongs. */
export interface Points {
  x: Uint16Array;
  y: Uint16Array;
  group: Uint8Array;
}

interface Reply {
  id: number;
  answer?: unknown;
  failed?: string;
}

export class CloudClient {
  private readonly waiting = new Map<
    number,
    { done: (answer: unknown) => void; fail: (why: Error) => void }
  >();
  private last = 0;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const asked = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.failed === undefined) asked?.done(data.answer);
      else asked?.fail(new Error(data.failed));
    };
    worker.onerror = () => {
      for (const { fail } of this.waiting.values()) fail(new Error("The map's worker could not be started."));
      this.waiting.clear();
    };
  }

  load({ x, y, group }: Points): Promise<number> {
    return this.ask({ ask: "load", x, y, group });
  }

  /** Sample indices in the polygon (units of data), ascending; groups with a 1 in `off` are left out. */
  inside(polygon: Point[], off: Uint8Array): Promise<Uint32Array> {
    return this.ask({ ask: "inside", polygon, off });
  }

  nearest(at: Point, reach: number, off: Uint8Array): Promise<number> {
    return this.ask({ ask: "nearest", at, reach, off });
  }

  visible(window: Window, limit: number): Promise<Uint32Array | null> {
    return this.ask({ ask: "visible", window, limit });
  }

  end() {
    this.worker.terminate();
  }

  private ask<T>(question: Question): Promise<T> {
    const id = ++this.last;
    return new Promise<T>((done, fail) => {
      this.waiting.set(id, { done: (answer) => done(answer as T), fail });
      this.worker.postMessage({ id, question });
    });
  }
}

/** The worker with these points in it, or null until it has them. */
export function useCloud(points: Points | null): CloudClient | null {
  const [ready, setReady] = useState<{ points: Points; cloud: CloudClient } | null>(null);
  useEffect(() => {
    if (!points) return;
    const cloud = new CloudClient(
      new Worker(new URL("./cloudWorker.ts", import.meta.url), { type: "module" }),
    );
    let gone = false;
    void cloud.load(points).then(
      () => !gone && setReady({ points, cloud }),
      () => undefined,
    );
    return () => {
      gone = true;
      cloud.end();
    };
  }, [points]);
  return ready?.points === points ? ready.cloud : null;
}
