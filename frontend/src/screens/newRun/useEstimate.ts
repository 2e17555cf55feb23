/** What the audit as it is set would take, and what is wrong with a setting, while one still types. */
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { answer, ApiError, client, type Recipe } from "@/api/client";

import { settingsOf } from "./settings";

const RESTING_MS = 300;

export function useEstimate(datasetId: string, recipe: Recipe | undefined, texts: Record<string, string>) {
  const [rested] = useDebouncedValue(texts, RESTING_MS);
  const settings = recipe ? settingsOf(recipe, rested) : {};
  const asked = useQuery({
    queryKey: ["estimate", datasetId, recipe?.name, settings],
    queryFn: () =>
      answer(
        client.POST("/api/datasets/{dataset_id}/runs/estimate", {
          params: { path: { dataset_id: datasetId } },
          body: { recipe: recipe?.name ?? "fast", settings, seed: 0 },
        }),
      ),
    enabled: recipe !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const refused = asked.error instanceof ApiError && asked.error.status === 422 ? asked.error.problem : null;
  return { estimate: asked.data, refused };
}
