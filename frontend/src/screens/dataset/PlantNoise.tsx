/** Makes a derived dataset with noise of a known kind, to measure how well an audit finds it. */
import { Button, NumberInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { answer, client, problemOf, type Dataset } from "@/api/client";
import { datasets } from "@/api/queries";
import { Dialog, type DialogProps } from "@/parts/Dialog";
import { ProblemNote } from "@/parts/States";

import type { Kind } from "./kinds";
import { NoiseFields } from "./NoiseFields";

export function PlantNoise({ dataset, opened, onClose }: DialogProps & { dataset: Dataset }) {
  const [kind, setKind] = useState<Kind>("symmetric");
  const [rate, setRate] = useState(20);
  const [seed, setSeed] = useState(0);
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const plant = useMutation({
    mutationFn: () =>
      answer(
        client.POST("/api/datasets/{dataset_id}/inject", {
          params: { path: { dataset_id: dataset.id } },
          body: { kind, rate: rate / 100, seed, name: name.trim() || null },
        }),
      ),
    onSuccess: async (made) => {
      onClose();
      void queries.invalidateQueries({ queryKey: datasets.queryKey });
      await navigate({ to: "/datasets/$datasetId", params: { datasetId: made.id } });
    },
  });
  return (
    <Dialog opened={opened} onClose={onClose} title="Plant noise">
      <form
        className="plant"
        onSubmit={(event) => {
          event.preventDefault();
          plant.mutate();
        }}
      >
        <p className="dim">
          A derived dataset with wrong labels of a known kind. Its true labels are kept, so an audit of it can
          be measured. This dataset stays as it is.
        </p>
        {plant.isError && <ProblemNote problem={problemOf(plant.error)} />}
        <NoiseFields kind={kind} onKind={setKind} rate={rate} onRate={setRate} most={80} />
        <NumberInput
          label="Seed"
          min={0}
          allowDecimal={false}
          value={seed}
          onChange={(value) => setSeed(Number(value) || 0)}
        />
        <TextInput
          label="Name"
          placeholder={`${dataset.name}, ${kind} ${rate} % noise`}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" loading={plant.isPending}>
          Plant {rate} % noise
        </Button>
      </form>
    </Dialog>
  );
}
