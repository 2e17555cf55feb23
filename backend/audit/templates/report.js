// Draws the charts in the theme that the page has: the reader's, the one it was made for, and light on paper.
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const options = { responsive: true, displayModeBar: false };
  const theme = () =>
    document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
  const draw = (chosen) => {
    for (const [name, themes] of Object.entries(figures)) {
      const { data, layout } = themes[chosen];
      // A figure without a height takes its place's, and here it has none.
      Plotly.react(`plot-${name}`, data, { height: 460, ...layout }, options);
    }
  };
  draw(theme());
  system.addEventListener("change", () => draw(theme()));
  addEventListener("beforeprint", () => draw("light"));
  addEventListener("afterprint", () => draw(theme()));
})();
