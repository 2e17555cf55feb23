/** All of a recipe's settings, folded; a refused one opens and says why. */
import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";

import type { Recipe } from "@/api/client";

import { isSwitch, shownDefault } from "./settings";

interface Props {
  recipes: Recipe[];
  recipe: Recipe;
  texts: Record<string, string>;
  seed: number;
  refused: { field: string; message: string } | null;
  onRecipe: (name: string) => void;
  onText: (name: string, text: string) => void;
  onSeed: (seed: number) => void;
}

export function Advanced({ recipes, recipe, texts, seed, refused, onRecipe, onText, onSeed }: Props) {
  return (
    <details className="options" open={refused ? true : undefined}>
      <summary>Advanced</summary>
      <div className="options-grid">
        <Select
          label="Recipe"
          data={recipes.map(({ name, title }) => ({ value: name, label: title === name ? name : `${title} (${name})` }))}
          value={recipe.name}
          allowDeselect={false}
          onChange={(name) => onRecipe(name ?? recipe.name)}
        />
        <NumberInput label="Seed" min={0} allowDecimal={false} value={seed} onChange={(value) => onSeed(Number(value) || 0)} />
        {recipe.settings.map((setting) =>
          isSwitch(setting) ? (
            <Checkbox
              key={setting.name}
              label={setting.name}
              description={setting.description}
              checked={(texts[setting.name] ?? shownDefault(setting)) === "true"}
              onChange={(event) => onText(setting.name, String(event.currentTarget.checked))}
            />
          ) : (
            <TextInput
              key={setting.name}
              label={setting.name}
              description={setting.description}
              inputWrapperOrder={["label", "input", "description", "error"]}
              placeholder={shownDefault(setting)}
              value={texts[setting.name] ?? ""}
              error={refused?.field === setting.name ? refused.message : undefined}
              onChange={(event) => onText(setting.name, event.currentTarget.value)}
              spellCheck={false}
            />
          ),
        )}
      </div>
    </details>
  );
}
