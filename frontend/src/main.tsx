/** Entry: providers around the router. */
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./tokens.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "./api/client";
import { session } from "./api/queries";
import { makeRouter } from "./router";
import { theme } from "./theme";

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // Whatever was asked: without a session the sign-in screen is the only one.
      if (error instanceof ApiError && error.status === 401) queries.setQueryData(session.queryKey, null);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

// A page of an older build asks for files that are gone: the new build's page has others.
window.addEventListener("vite:preloadError", () => window.location.reload());

const router = makeRouter();

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications position="bottom-left" limit={3} autoClose={5000} />
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
