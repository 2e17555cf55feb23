/** Loads plotly.js from our own server (its Python package brings it), once. */

export interface PlotPoint {
  customdata?: unknown;
  pointIndex: number;
}

export interface PlotEvent {
  points: PlotPoint[];
}

export interface PlotElement extends HTMLDivElement {
  on(name: "plotly_click", handler: (event: PlotEvent) => void): void;
  /** Without an event when an empty selection was drawn. */
  on(name: "plotly_selected", handler: (event?: PlotEvent) => void): void;
  on(name: "plotly_deselect", handler: () => void): void;
}

interface Plotly {
  react(element: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  purge(element: HTMLElement): void;
}

declare global {
  interface Window {
    Plotly?: Plotly;
  }
}

let loading: Promise<Plotly> | null = null;

export function loadPlotly(): Promise<Plotly> {
  loading ??= new Promise<Plotly>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/plotly.min.js";
    script.onload = () =>
      window.Plotly ? resolve(window.Plotly) : reject(new Error("The plotting library did not start."));
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error("The plotting library could not be loaded."));
    };
    document.head.append(script);
  });
  return loading;
}

/** The sample indices of an event's points, each once. */
export function indicesOf(event: PlotEvent): number[] {
  const found = new Set<number>();
  for (const { customdata } of event.points) if (typeof customdata === "number") found.add(customdata);
  return [...found];
}
