/** Every address and the screen that answers it; the search parameters of a screen are read here. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { readRuns } from "./screens/compare/compare";
import { readDuplicates } from "./screens/duplicates/filter";
import { readFilter, type FlagsSearch } from "./screens/flags/filter";
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
  validateSearch: (search: Record<string, unknown>): { from?: "server"; into?: string } => {
    const into = String(search.into);
    return {
      ...(search.from === "server" && { from: "server" }),
      ...(/^[0-9a-f]{32}$/.test(into) && { into }),
    };
  },
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

const compare = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId/compare",
  component: lazyRouteComponent(() => import("./screens/compare/CompareScreen"), "CompareScreen"),
  validateSearch: (search: Record<string, unknown>): { runs?: string } => {
    const runs = readRuns(search.runs);
    return runs.length > 0 ? { runs: runs.join() } : {};
  },
});

const duplicates = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId/duplicates",
  component: lazyRouteComponent(() => import("./screens/duplicates/DuplicatesScreen"), "DuplicatesScreen"),
  validateSearch: readDuplicates,
});

const STATUSES = ["disagree", "adjudicated", "agreed", "once"] as const;

const adjudicate = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId/adjudicate",
  component: lazyRouteComponent(() => import("./screens/doubleReview/AdjudicateScreen"), "AdjudicateScreen"),
  validateSearch: (
    search: Record<string, unknown>,
  ): { status?: (typeof STATUSES)[number]; page?: number } => {
    const status = STATUSES.find((one) => one === search.status);
    const page = Number(search.page);
    return { ...(status && { status }), ...(Number.isInteger(page) && page > 1 && { page }) };
  },
});

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./screens/settings/SettingsScreen"), "Settings"),
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

interface MapSearch extends FlagsSearch {
  colour?: (typeof COLOURS)[number];
  /** Picks every flagged sample where no filter says which. */
  picked?: true;
}

const map = createRoute({
  getParentRoute: () => run,
  path: "/map",
  component: lazyRouteComponent(() => import("./screens/map/MapScreen"), "MapScreen"),
  validateSearch: (search: Record<string, unknown>): MapSearch => {
    const colour = COLOURS.find((one) => one === search.colour);
    return {
      ...readFilter(search),
      ...(colour && { colour }),
      ...(search.picked === true && { picked: true }),
    };
  },
});

const classes = createRoute({
  getParentRoute: () => run,
  path: "/classes",
  component: lazyRouteComponent(() => import("./screens/classes/ClassesScreen"), "ClassesScreen"),
  validateSearch: (
    search: Record<string, unknown>,
  ): { given?: number; suggested?: number; diagonal?: true } => {
    const { given, suggested } = readFilter(search);
    return {
      ...(given !== undefined && suggested !== undefined && { given, suggested }),
      ...(search.diagonal === true && { diagonal: true }),
    };
  },
});

const signOff = createRoute({
  getParentRoute: () => run,
  path: "/sign-off",
  component: lazyRouteComponent(() => import("./screens/signOff/SignOffScreen"), "SignOffScreen"),
  validateSearch: (search: Record<string, unknown>): { size?: number; seed?: number } => {
    const size = Number(search.size);
    const seed = Number(search.seed);
    return {
      ...(Number.isInteger(size) && size > 0 && { size }),
      ...(Number.isInteger(seed) && seed > 0 && { seed }),
    };
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
  compare,
  duplicates,
  adjudicate,
  settings,
  run.addChildren([audit, gallery.addChildren([flags, review]), loss, map, classes, signOff, exportRoute]),
]);

export function makeRouter() {
  return createRouter({ routeTree, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
