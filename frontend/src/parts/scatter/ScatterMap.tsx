/**
 * The map on a canvas: move, zoom, lasso, box, hover with the image, click.
 *
 * plotly.js draws its WebGL points by functions compiled from text, which our content security policy forbids;
 * so its figure is painted here, from the same JSON. What lies where is answered by a worker.
 */
import { ActionIcon } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconMinus, IconPlus, IconZoomReset } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type PointerEvent, type ReactNode } from "react";

import type { Figure } from "@/api/queries";
import { count } from "@/parts/format";

import { membersOf, pointsOf, readScatter, type Group } from "./figure";
import { Legend } from "./Legend";
import { paint, paintOver, type Frame } from "./paint";
import { useCloud, type Points } from "./useCloud";
import { useNear } from "./useNear";
import { box, centred, dataAt, fit, pan, zoom, type Point, type View } from "./view";
import "./scatter.css";

export type Tool = "lasso" | "box" | "move";

interface Props {
  figure: Figure;
  /** Positions of all samples, where the figure itself holds only some of them. */
  all: Points | null;
  label: string;
  tool: Tool;
  /** Sample indices; null: nothing is picked. */
  picked: Uint32Array | null;
  onPick: (indices: Uint32Array) => void;
  /** What the tip says of a sample. */
  tip: (index: number, group: string | null) => ReactNode;
}

const REACH = 9;
const ROOM = 24;
const CLICK = 4;
const STEP = 1.6;
/** A group is one byte of the points. */
const GROUPS = 256;

export function ScatterMap({ figure, all, label, tool, picked, onPick, tip }: Props) {
  const scatter = useMemo(() => readScatter(figure), [figure]);
  const points = useMemo(() => (scatter.density ? all : pointsOf(scatter)), [scatter, all]);
  const cloud = useCloud(points);
  const { ref, width, height } = useElementSize();
  const base = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const whole = useMemo(
    () => fit(scatter.bounds, width || 1, height || 1, ROOM),
    [scatter.bounds, width, height],
  );
  // Kept in units of data, so that neither a new colour nor a new size of the window moves what one looks at.
  const [moved, setMoved] = useState<View | null>(null);
  const view = moved ?? whole;
  const near = useNear(scatter.density ? cloud : null, view, width, height);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const off = useMemo(() => {
    const flags = new Uint8Array(GROUPS);
    scatter.groups.forEach(({ name }, position) => {
      if (hidden.has(name)) flags[position] = 1;
    });
    return flags;
  }, [scatter, hidden]);
  const [hovered, setHovered] = useState<{ index: number; at: Point } | null>(null);
  const [path, setPath] = useState<Point[]>([]);
  const drag = useRef<{ from: Point; last: Point; far: boolean } | null>(null);
  const look = useMemo(() => {
    if (!picked || !points) return null;
    const mask = new Uint8Array(points.x.length);
    for (const index of picked) mask[index] = 1;
    return { indices: picked, mask };
  }, [picked, points]);

  useEffect(() => {
    const context = base.current?.getContext("2d");
    if (!context || width === 0) return;
    const accent = getComputedStyle(context.canvas).getPropertyValue("--na-accent").trim();
    const frame: Frame = { width, height, ratio: window.devicePixelRatio || 1, view, whole };
    paint(context, frame, scatter, points, { accent, picked: look, hidden, near });
  }, [scatter, points, view, whole, width, height, look, hidden, near]);

  const under = hovered && points && { x: points.x[hovered.index] ?? 0, y: points.y[hovered.index] ?? 0 };
  useEffect(() => {
    const context = over.current?.getContext("2d");
    if (!context || width === 0) return;
    const accent = getComputedStyle(context.canvas).getPropertyValue("--na-accent").trim();
    const frame: Frame = { width, height, ratio: window.devicePixelRatio || 1, view, whole };
    paintOver(context, frame, accent, under, path);
  });

  useEffect(() => {
    const element = over.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = { x: event.offsetX, y: event.offsetY };
      setMoved((now) => zoom(now ?? whole, whole, Math.exp(-event.deltaY * 0.0015), at));
    };
    // React's own wheel handler cannot keep the page from scrolling.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [whole]);

  const at = (event: PointerEvent): Point => ({ x: event.nativeEvent.offsetX, y: event.nativeEvent.offsetY });

  const asked = useRef(0);
  async function hover(position: Point) {
    const turn = ++asked.current;
    const index = (await cloud?.nearest(dataAt(view, position), REACH / view.scale, off)) ?? -1;
    if (turn === asked.current && !drag.current) setHovered(index < 0 ? null : { index, at: position });
  }

  async function click(position: Point) {
    if (tool === "move") {
      setMoved(centred(view, dataAt(view, position), width, height));
      return;
    }
    const index = (await cloud?.nearest(dataAt(view, position), REACH / view.scale, off)) ?? -1;
    onPick(index < 0 ? new Uint32Array() : Uint32Array.of(index));
  }

  async function circle(polygon: Point[]) {
    const inside = await cloud?.inside(
      polygon.map((corner) => dataAt(view, corner)),
      off,
    );
    setPath([]);
    if (inside) onPick(inside);
  }

  function onDown(event: PointerEvent<HTMLCanvasElement>) {
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = at(event);
    drag.current = { from, last: from, far: false };
    asked.current += 1;
    setHovered(null);
  }

  function onMove(event: PointerEvent<HTMLCanvasElement>) {
    const now = at(event);
    const held = drag.current;
    if (!held) {
      void hover(now);
      return;
    }
    held.far ||= Math.hypot(now.x - held.from.x, now.y - held.from.y) > CLICK;
    if (!held.far) return;
    if (tool === "move" || event.shiftKey)
      setMoved((was) => pan(was ?? whole, { x: now.x - held.last.x, y: now.y - held.last.y }));
    else if (tool === "box") setPath(box(held.from, now));
    else setPath((before) => (before.length === 0 ? [held.from, now] : [...before, now]));
    held.last = now;
  }

  function onUp(event: PointerEvent<HTMLCanvasElement>) {
    const held = drag.current;
    drag.current = null;
    if (!held) return;
    if (!held.far) void click(at(event));
    else if (path.length > 0) void circle(path);
  }

  const toggle = (name: string) =>
    setHidden((now) => {
      const next = new Set(now);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  function pickGroup(group: Group) {
    // A ring's own members are what it circles; of the others the figure may hold only some.
    if (group.ring) onPick(Uint32Array.from(group.index).sort());
    else if (points) onPick(membersOf(points, scatter.groups.indexOf(group)));
  }
  const step = (factor: number) =>
    setMoved((now) => zoom(now ?? whole, whole, factor, { x: width / 2, y: height / 2 }));
  const name = hovered && scatter.groups[points?.group[hovered.index] ?? 0]?.name;
  return (
    <div className="scatter">
      <div className="scatter-title">
        <strong>{scatter.title}</strong>
        <span className="faint">{scatter.subtitle}</span>
        {scatter.density && (
          <span className="faint number" role="status">
            {near?.length && points
              ? `zoomed in: all ${count(near.length)} samples in view are points again, of ${count(points.x.length)}`
              : !cloud && "fetching the positions of all samples for the lasso…"}
          </span>
        )}
      </div>
      <div className="scatter-stage" ref={ref}>
        <canvas
          ref={base}
          role="img"
          aria-label={`${label}: ${scatter.subtitle}`}
          data-ready={(width > 0 && cloud !== null) || undefined}
        />
        <canvas
          ref={over}
          aria-hidden
          data-tool={tool}
          onPointerDown={onDown}
          onPointerMove={onMove}
          onPointerUp={onUp}
          onPointerLeave={() => {
            asked.current += 1;
            setHovered(null);
          }}
        />
        <div className="scatter-zoom" role="group" aria-label="Zoom">
          <ActionIcon variant="default" size={28} aria-label="Closer" onClick={() => step(STEP)}>
            <IconPlus size={15} />
          </ActionIcon>
          <ActionIcon variant="default" size={28} aria-label="Farther" onClick={() => step(1 / STEP)}>
            <IconMinus size={15} />
          </ActionIcon>
          <ActionIcon
            variant="default"
            size={28}
            aria-label="Show all"
            disabled={!moved}
            onClick={() => setMoved(null)}
          >
            <IconZoomReset size={16} />
          </ActionIcon>
        </div>
        {hovered && (
          <div className="chart-tip" style={tipAt(hovered.at, width, height)}>
            {tip(hovered.index, name ?? null)}
          </div>
        )}
      </div>
      <Legend groups={scatter.groups} hidden={hidden} onToggle={toggle} onPick={pickGroup} />
    </div>
  );
}

const TIP_ROOM = 190;

function tipAt({ x, y }: Point, width: number, height: number) {
  return {
    ...(x > width - TIP_ROOM ? { right: width - x + 12 } : { left: x + 12 }),
    ...(y > height - TIP_ROOM ? { bottom: height - y + 12 } : { top: y + 12 }),
  };
}
