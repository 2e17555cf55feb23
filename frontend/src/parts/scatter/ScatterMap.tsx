/**
 * The map on a canvas: move, zoom, lasso, box, hover with the image, click.
 *
 * plotly.js draws its WebGL points by functions compiled from text, which our content security policy forbids;
 * so its figure is painted here, from the same JSON.
 */
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState, type PointerEvent, type ReactNode } from "react";

import type { Figure } from "@/api/queries";

import { readScatter, type Group } from "./figure";
import { paint } from "./paint";
import { box, fit, inside, nearest, pan, zoom, type Found, type Point, type View } from "./view";
import "./scatter.css";

export type Tool = "lasso" | "box" | "move";

interface Props {
  figure: Figure;
  label: string;
  tool: Tool;
  picked: number[];
  onPick: (indices: number[]) => void;
  /** What the tip says of a sample. */
  tip: (index: number, group: string) => ReactNode;
}

const REACH = 9;
const ROOM = 24;
const CLICK = 4;

export function ScatterMap({ figure, label, tool, picked, onPick, tip }: Props) {
  const scatter = useMemo(() => readScatter(figure), [figure]);
  const { ref, width, height } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const whole = useMemo(
    () => fit(scatter.bounds, width || 1, height || 1, ROOM),
    [scatter.bounds, width, height],
  );
  // Kept in units of data, so that neither a new colour nor a new size of the window moves what one looks at.
  const [moved, setMoved] = useState<View | null>(null);
  const view = moved ?? whole;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hovered, setHovered] = useState<(Found & { at: number; x: number; y: number }) | null>(null);
  const [path, setPath] = useState<Point[]>([]);
  const drag = useRef<{ from: Point; last: Point; far: boolean } | null>(null);
  const shown = useMemo(
    () => scatter.groups.filter(({ ring, name }) => !ring && !hidden.has(name)),
    [scatter, hidden],
  );
  const pickedSet = useMemo(() => (picked.length > 0 ? new Set(picked) : null), [picked]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    context.canvas.width = Math.round(width * ratio);
    context.canvas.height = Math.round(height * ratio);
    const accent = getComputedStyle(context.canvas).getPropertyValue("--na-accent").trim();
    paint(context, width, height, scatter, view, whole, {
      ratio,
      accent,
      picked: pickedSet,
      hidden,
      hovered,
      path,
    });
  }, [scatter, view, whole, width, height, pickedSet, hidden, hovered, path]);

  useEffect(() => {
    const element = canvas.current;
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

  function onDown(event: PointerEvent<HTMLCanvasElement>) {
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = at(event);
    drag.current = { from, last: from, far: false };
    setHovered(null);
  }

  function onMove(event: PointerEvent<HTMLCanvasElement>) {
    const now = at(event);
    const held = drag.current;
    if (!held) {
      const found = nearest(shown, view, now, REACH);
      setHovered(found && { ...found, ...now });
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
    if (!held.far) {
      const found = nearest(shown, view, at(event), REACH);
      const index = found?.group.index[found.at];
      onPick(index === undefined ? [] : [index]);
    } else if (path.length > 0) onPick(inside(shown, view, path));
    setPath([]);
  }

  const toggle = (name: string) =>
    setHidden((now) => {
      const next = new Set(now);
      if (!next.delete(name)) next.add(name);
      return next;
    });

  const index = hovered?.group.index[hovered.at];
  return (
    <div className="scatter" ref={ref}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${label}: ${scatter.subtitle}`}
        data-tool={tool}
        data-ready={width > 0 || undefined}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerLeave={() => setHovered(null)}
        onDoubleClick={() => setMoved(null)}
      />
      <div className="scatter-title">
        <strong>{scatter.title}</strong>
        <span className="faint">{scatter.subtitle}</span>
      </div>
      {moved && (
        <button type="button" className="scatter-reset" onClick={() => setMoved(null)}>
          Show all
        </button>
      )}
      <Legend
        groups={scatter.groups}
        hidden={hidden}
        onToggle={toggle}
        onPick={(group) => onPick(Array.from(group.index))}
      />
      {hovered && index !== undefined && (
        <div className="chart-tip" style={tipAt(hovered, width, height)}>
          {tip(index, hovered.group.name)}
        </div>
      )}
    </div>
  );
}

interface LegendProps {
  groups: Group[];
  hidden: ReadonlySet<string>;
  onToggle: (name: string) => void;
  onPick: (group: Group) => void;
}

function Legend({ groups, hidden, onToggle, onPick }: LegendProps) {
  return (
    <ul className="scatter-legend" aria-label="Legend">
      {groups.map((group) => (
        <li key={group.name} data-off={hidden.has(group.name) || undefined}>
          <button
            type="button"
            aria-pressed={!hidden.has(group.name)}
            onClick={() => onToggle(group.name)}
            title="Hide or show"
          >
            <i
              style={group.ring ? { border: `1.5px solid ${group.colour}` } : { background: group.colour }}
            />
            {group.name}
          </button>
          <button
            type="button"
            className="scatter-pick"
            onClick={() => onPick(group)}
            aria-label={`Pick ${group.name}`}
          >
            pick
          </button>
        </li>
      ))}
    </ul>
  );
}

const TIP_ROOM = 190;

function tipAt({ x, y }: Point, width: number, height: number) {
  return {
    ...(x > width - TIP_ROOM ? { right: width - x + 12 } : { left: x + 12 }),
    ...(y > height - TIP_ROOM ? { bottom: height - y + 12 } : { top: y + 12 }),
  };
}
