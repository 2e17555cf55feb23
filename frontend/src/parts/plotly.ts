/** Loads plotly.js from our own server (its Python package brings it), once. */

interface Clicked {
  points: { customdata?: unknown }[];
}

interface Shown {
  on(event: "plotly_click", heard: (clicked: Clicked) => void): void;
}

interface Plotly {
  react(element: HTMLElement, data: unknown[], layout: unknown, config: unknown): Promise<Shown>;
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
