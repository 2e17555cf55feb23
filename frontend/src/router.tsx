/** Every address and the screen that answers it; the search parameters of a screen are read here. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { readFilter } from "./screens/flags/filter";
import { NotFound } from "./screens/NotFound";
import { Root } from "./screens/Root";
import { RunLayout } from "./screens/run/RunLayout";

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./screens/Home"), "Home"),
});

const newDataset = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/new",
  validateSearch: (search: Record<string, unknown>): { from?: "server" } =>
    search.from === "server" ? { from: "server" } : {},
  component: lazyRouteComponent(() => import("./screens/newDataset/NewDataset"), "NewDataset"),
});

const datasetPage = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId",
  component: lazyRouteComponent(() => import("./screens/dataset/DatasetScreen"), "DatasetScreen"),
});

const newRun = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId/new-run",
  component: lazyRouteComponent(() => import("./screens/newRun/NewRun"), "NewRun"),
});

const run = createRoute({ getParentRoute: () => rootRoute, path: "/runs/$runId", component: RunLayout });

const audit = createRoute({
  getParentRoute: () => run,
  path: "/",
  component: lazyRouteComponent(() => import("./screens/run/Audit"), "Audit"),
});

// Gallery and review share one screen, so that opening a sample never loses the place in the grid.
const gallery = createRoute({
  getParentRoute: () => run,
  id: "gallery",
  component: lazyRouteComponent(() => import("./screens/flags/FlagsScreen"), "FlagsScreen"),
  validateSearch: readFilter,
});
const flags = createRoute({ getParentRoute: () => gallery, path: "/flags" });
const review = createRoute({ getParentRoute: () => gallery, path: "/review/$index" });

const loss = createRoute({
  getParentRoute: () => run,
  path: "/loss",
  component: lazyRouteComponent(() => import("./screens/loss/LossScreen"), "LossScreen"),
  validateSearch: (search: Record<string, unknown>): { epoch?: number } => {
    const epoch = Number(search.epoch);
    return Number.isInteger(epoch) && epoch > 0 ? { epoch } : {};
  },
});

const COLOURS = ["given", "suggested", "posterior", "decision"] as const;

const map = createRoute({
  getParentRoute: () => run,
  path: "/map",
  component: lazyRouteComponent(() => import("./screens/map/MapScreen"), "MapScreen"),
  validateSearch: (search: Record<string, unknown>): { colour?: (typeof COLOURS)[number] } => {
    const colour = COLOURS.find((one) => one === search.colour);
    return colour ? { colour } : {};
  },
});

const exportRoute = createRoute({
  getParentRoute: () => run,
  path: "/export",
  component: lazyRouteComponent(() => import("./screens/export/ExportScreen"), "ExportScreen"),
});

const routeTree = rootRoute.addChildren([
  home,
  newDataset,
  datasetPage,
  newRun,
  run.addChildren([audit, gallery.addChildren([flags, review]), loss, map, exportRoute]),
]);

export function makeRouter() {
  return createRouter({ routeTree, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
