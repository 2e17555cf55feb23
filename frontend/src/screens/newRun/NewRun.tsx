/** Choose a recipe and start; everything else has a default and is checked by the server. */
import { Button, Skeleton } from "@mantine/core";
import { IconEye, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { useRights } from "@/accounts/useMay";
import { answer, ApiError, client, problemOf, type Recipe } from "@/api/client";
import { uploaded } from "@/api/uploads";
import { FilePick } from "@/parts/FilePick";
import { dataset as datasetQuery, recipes as recipesQuery, system } from "@/api/queries";
import { duration, many } from "@/parts/format";
import { Page } from "@/parts/Page";
import { EmptyState, ErrorState, ProblemNote } from "@/parts/States";

import { Advanced } from "./Advanced";
import { Costs } from "./Costs";
import { OwnPredictions } from "./OwnPredictions";
import { settingsOf } from "./settings";
import { useEstimate } from "./useEstimate";
import "./newrun.css";

/** The two that stand as cards; all others are offered under Advanced. */
const CARDS: Record<string, string> = { fast: "Fast", "m-dyr-h": "Thorough" };

const OWN = "predictions";

export function NewRun() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId/new-run" });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const dataset = useQuery(datasetQuery(datasetId));
  const recipes = useQuery(recipesQuery(datasetId));
  const machine = useQuery(system);
  const { may, barred } = useRights(datasetId);
  const [chosen, setChosen] = useState("fast");
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [seed, setSeed] = useState(0);
  const [embedding, setEmbedding] = useState<File | null>(null);
  const recipe = recipes.data?.items.find(({ name }) => name === chosen) ?? recipes.data?.items[0];
  const { estimate, refused: whileTyping } = useEstimate(datasetId, recipe, texts);

  const own = chosen === OWN;
  const choose = (name: string) => {
    setChosen(name);
    setTexts({});
    start.reset();
  };

  const start = useMutation({
    mutationFn: async (of: Recipe) => {
      const embedding_upload_id = embedding && (await uploaded(embedding));
      return answer(
        client.POST("/api/datasets/{dataset_id}/runs", {
          params: { path: { dataset_id: datasetId } },
          body: { recipe: of.name, settings: settingsOf(of, texts), seed, embedding_upload_id },
        }),
      );
    },
    onSuccess: async (made) => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/runs/$runId", params: { runId: made.id } });
    },
  });

  if (barred("run")) {
    return (
      <EmptyState icon={<IconEye size={22} stroke={1.6} />} title="You can look, not start an audit">
        Who owns the dataset says on its page who audits it.
      </EmptyState>
    );
  }
  if (recipes.isError) return <ErrorState error={recipes.error} retry={() => void recipes.refetch()} />;
  const cards = (recipes.data?.items ?? []).filter(({ name }) => name in CARDS);
  const refused = start.error instanceof ApiError ? start.error.problem : whileTyping;
  const refusedField =
    recipe?.settings.find(({ name }) => refused?.item?.split(".").at(-1) === name)?.name ?? null;
  return (
    <Page
      width="narrow"
      title="New audit"
      sub={
        dataset.data &&
        `${dataset.data.name} · ${many(dataset.data.sample_count, "sample")}, ${many(dataset.data.classes.length, "class", "classes")}`
      }
    >
      <div className="stack">
        <div className="recipes" role="radiogroup" aria-label="Recipe">
          {recipes.isPending && [1, 2].map((n) => <Skeleton key={n} height={132} radius="md" />)}
          {cards.map((one) => (
            <Choice
              key={one.name}
              value={one.name}
              title={CARDS[one.name]}
              // The name that the command line knows it by, where it is another.
              sub={one.name === CARDS[one.name]?.toLowerCase() ? "" : one.name}
              says={one.description}
              cost={one.estimate_seconds == null ? "" : `about ${duration(one.estimate_seconds)}`}
              checked={!own && recipe?.name === one.name}
              onChoose={choose}
            />
          ))}
          {recipes.isSuccess && (
            <Choice
              value={OWN}
              title="I have predictions"
              sub="Nothing is trained"
              says="Judges the labels by the probabilities that your own network predicts."
              cost="seconds, and the map"
              checked={own}
              onChoose={choose}
            />
          )}
        </div>
        {own && dataset.data && <OwnPredictions dataset={dataset.data} />}
        {!own && recipe && (
          <Advanced
            recipes={recipes.data?.items ?? []}
            recipe={recipe}
            texts={texts}
            seed={seed}
            refused={refusedField && refused ? { field: refusedField, message: refused.message } : null}
            onRecipe={choose}
            onText={(name, text) => {
              setTexts((before) => ({ ...before, [name]: text }));
              start.reset();
            }}
            onSeed={setSeed}
          />
        )}
        {!own && recipe && (
          <details className="options">
            <summary>Your own embedding</summary>
            <div className="embedding">
              <p className="dim">
                Trains a small head on vectors from a network of yours instead of a network on the images: any
                recipe, far faster. The map shows these vectors.
              </p>
              <FilePick
                label="File of an embedding"
                accept=".npy,.npz,.csv,.tsv,.jsonl,.parquet"
                file={embedding}
                onFile={setEmbedding}
                onClear={() => setEmbedding(null)}
              >
                npy, npz, CSV, JSON Lines or Parquet: a vector for each sample, in their order or with a
                column index or name
              </FilePick>
            </div>
          </details>
        )}
        {start.isError && refusedField === null && <ProblemNote problem={problemOf(start.error)} />}
        {machine.data?.workers === 0 && (
          <div className="note note-warn" role="status">
            <div className="note-body">
              <h2>No worker is running.</h2>
              <p className="dim">The audit will wait until one is started with noise-audit worker.</p>
            </div>
          </div>
        )}
        {!own && (
          <div className="start">
            <Button
              size="md"
              leftSection={<IconPlayerPlay size={18} />}
              disabled={!recipe || !may("run") || dataset.data?.status !== "ready"}
              loading={start.isPending}
              onClick={() => recipe && start.mutate(recipe)}
            >
              Start the audit
            </Button>
            {/* What an embedding of one's own costs is not what its pixels would. */}
            <Costs device={machine.data?.device} estimate={embedding ? undefined : estimate} />
          </div>
        )}
      </div>
    </Page>
  );
}

interface ChoiceProps {
  value: string;
  title: string | undefined;
  sub: string;
  says: string;
  cost: string;
  checked: boolean;
  onChoose: (value: string) => void;
}

function Choice({ value, title, sub, says, cost, checked, onChoose }: ChoiceProps) {
  return (
    <label className="recipe" data-checked={checked || undefined}>
      <input type="radio" name="recipe" value={value} checked={checked} onChange={() => onChoose(value)} />
      <span className="recipe-title">
        {title}
        <span className="faint"> {sub}</span>
      </span>
      <span className="dim recipe-text">{says}</span>
      <span className="recipe-time number">{cost}</span>
    </label>
  );
}
