/** What a self-test plants and how it audits. */
import { Button, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import { selfTests } from "@/api/evidence";
import { recipes as recipesQuery } from "@/api/queries";
import { Dialog, type DialogProps } from "@/parts/Dialog";
import { duration } from "@/parts/format";
import { ProblemNote } from "@/parts/States";

import type { Kind } from "./kinds";
import { NoiseFields } from "./NoiseFields";

export function SelfTestForm({ dataset, opened, onClose }: DialogProps & { dataset: Dataset }) {
  const queries = useQueryClient();
  const recipes = useQuery({ ...recipesQuery(dataset.id), enabled: opened });
  const [kind, setKind] = useState<Kind>("symmetric");
  const [rate, setRate] = useState(10);
  const [recipe, setRecipe] = useState("fast");
  const start = useMutation({
    mutationFn: () =>
      answer(
        client.POST("/api/datasets/{dataset_id}/self-tests", {
          params: { path: { dataset_id: dataset.id } },
          body: { kind, rate: rate / 100, recipe, seed: 0 },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: selfTests(dataset.id).queryKey });
      onClose();
    },
  });
  const estimate = recipes.data?.items.find(({ name }) => name === recipe)?.estimate_seconds;
  return (
    <Dialog opened={opened} onClose={onClose} title="New self-test">
      <form
        className="plant"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <p className="dim">
          Labels of a copy are made wrong on purpose, and an audit looks for them without knowing which they
          are.
        </p>
        {start.isError && <ProblemNote problem={problemOf(start.error)} />}
        <NoiseFields kind={kind} onKind={setKind} rate={rate} onRate={setRate} most={60} />
        <Select
          label="Recipe"
          data={(recipes.data?.items ?? []).map(({ name, title }) => ({
            value: name,
            label: `${name}: ${title}`,
          }))}
          value={recipe}
          allowDeselect={false}
          onChange={(value) => setRecipe(value ?? "fast")}
          description={estimate == null ? undefined : `about ${duration(estimate)} on the slowest device`}
          inputWrapperOrder={["label", "input", "description", "error"]}
        />
        <Button type="submit" loading={start.isPending}>
          Plant {rate} % and audit
        </Button>
      </form>
    </Dialog>
  );
}
