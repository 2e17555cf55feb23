/** All of a recipe's settings, folded; a refused one opens and says why. */
import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";

import type { Recipe, Schemas } from "@/api/client";

import { choicesOf, isSwitch, shownDefault } from "./settings";

type Setting = Schemas["SettingInfo"];

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
          data={recipes.map(({ name, title }) => ({
            value: name,
            label: title === name ? name : `${title} (${name})`,
          }))}
          value={recipe.name}
          allowDeselect={false}
          onChange={(name) => onRecipe(name ?? recipe.name)}
        />
        <NumberInput
          label="Seed"
          min={0}
          allowDecimal={false}
          value={seed}
          onChange={(value) => onSeed(Number(value) || 0)}
        />
        {recipe.settings.map((setting) => (
          <Field
            key={setting.name}
            setting={setting}
            text={texts[setting.name]}
            error={refused?.field === setting.name ? refused.message : undefined}
            onText={(text) => onText(setting.name, text)}
          />
        ))}
      </div>
    </details>
  );
}

/** "batch_size" as "Batch size" */
const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

interface FieldProps {
  setting: Setting;
  text: string | undefined;
  error: string | undefined;
  onText: (text: string) => void;
}

function Field({ setting, text, error, onText }: FieldProps) {
  const said = {
    label: titleOf(setting.name),
    description: setting.description,
    error,
    inputWrapperOrder: ["label", "input", "description", "error"] as (
      "label" | "input" | "description" | "error"
    )[],
  };
  const choices = choicesOf(setting);
  if (isSwitch(setting)) {
    return (
      <Checkbox
        label={said.label}
        description={said.description}
        error={error}
        checked={(text ?? shownDefault(setting)) === "true"}
        onChange={(event) => onText(String(event.currentTarget.checked))}
      />
    );
  }
  if (choices) {
    return (
      <Select
        {...said}
        data={choices}
        value={text ?? shownDefault(setting)}
        allowDeselect={false}
        onChange={(value) => onText(value ?? "")}
      />
    );
  }
  return (
    <TextInput
      {...said}
      placeholder={shownDefault(setting)}
      value={text ?? ""}
      onChange={(event) => onText(event.currentTarget.value)}
      spellCheck={false}
    />
  );
}
