/** What can be said about an import beforehand; all of it has a sensible default. */
import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";

import type { Schemas } from "@/api/client";

type Create = Schemas["DatasetCreate"];

export interface Options {
  name: string;
  format: NonNullable<Create["format"]>;
  split: NonNullable<Create["split"]>;
  limit: number | null;
  allOrNothing: boolean;
}

export const NO_OPTIONS: Options = {
  name: "",
  format: "auto",
  split: "train",
  limit: null,
  allOrNothing: false,
};

const FORMATS: { value: Options["format"]; label: string }[] = [
  { value: "auto", label: "Recognise it" },
  { value: "class-folder", label: "Class folders" },
  { value: "parquet", label: "Parquet" },
];
const SPLITS: { value: Options["split"]; label: string }[] = [
  { value: "train", label: "train" },
  { value: "val", label: "validation" },
  { value: "test", label: "test" },
  { value: "all", label: "all together" },
];

export function ImportOptions({ value, onChange }: { value: Options; onChange: (value: Options) => void }) {
  const change = (part: Partial<Options>) => onChange({ ...value, ...part });
  return (
    <details className="options">
      <summary>Options</summary>
      <div className="options-grid">
        <TextInput
          label="Name"
          placeholder="As the file is called"
          maxLength={200}
          value={value.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Select
          label="Format"
          data={FORMATS}
          value={value.format}
          allowDeselect={false}
          onChange={(format) => change({ format: format ?? "auto" })}
        />
        <Select
          label="Split"
          description="Where there are several"
          data={SPLITS}
          value={value.split}
          allowDeselect={false}
          onChange={(split) => change({ split: split ?? "train" })}
        />
        <NumberInput
          label="Limit"
          description="Take only the first samples"
          placeholder="All"
          min={2}
          allowDecimal={false}
          thousandSeparator=","
          value={value.limit ?? ""}
          onChange={(limit) => change({ limit: typeof limit === "number" ? limit : null })}
        />
        <Checkbox
          className="options-wide"
          label="All or nothing"
          description="Refuse the dataset when a single image cannot be read, instead of listing it and keeping the rest"
          checked={value.allOrNothing}
          onChange={(event) => change({ allOrNothing: event.currentTarget.checked })}
        />
      </div>
    </details>
  );
}
