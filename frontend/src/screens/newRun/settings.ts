/** What was typed into the advanced fields, as the settings that the server checks. Pure. */
import type { Recipe, Schemas } from "@/api/client";

type Setting = Schemas["SettingInfo"];
export type Value = string | number | boolean;

/** Only what was changed; a text that is no number goes as it is, so that the server names the range. */
export function settingsOf(
  recipe: Pick<Recipe, "settings">,
  texts: Record<string, string>,
): Record<string, Value> {
  const changed: Record<string, Value> = {};
  for (const setting of recipe.settings) {
    const text = texts[setting.name]?.trim();
    if (text === undefined || text === "" || text === shownDefault(setting)) continue;
    changed[setting.name] = valueOf(setting, text);
  }
  return changed;
}

export function shownDefault({ default: value }: Pick<Setting, "default">): string {
  return value === null ? "" : String(value);
}

export function isNumeric({ type }: Pick<Setting, "type">): boolean {
  return type === "integer" || type === "number";
}

export function isSwitch({ type }: Pick<Setting, "type">): boolean {
  return type === "boolean";
}

/** The words to choose from; null for a setting that is typed. */
export function choicesOf({ type }: Pick<Setting, "type">): string[] | null {
  return type.includes("|") ? type.split("|").map((choice) => choice.trim()) : null;
}

function valueOf(setting: Setting, text: string): Value {
  if (isSwitch(setting)) return text === "true";
  const number = Number(text);
  return isNumeric(setting) && Number.isFinite(number) ? number : text;
}
