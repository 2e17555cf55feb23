/** What was recognised in a delivery, what can still be chosen, and the button that imports it. */
import { Button, Checkbox, NumberInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";

import type { Schemas } from "@/api/client";
import type { Format, Into, Report, Wish } from "@/api/preflights";
import { ClassBars } from "@/parts/ClassBars";
import { count, many } from "@/parts/format";

import { CarryDecisions } from "@/screens/versions/CarryDecisions";

import { classRows, COLUMN_NAMES, firstSplit, FORMAT_NAMES, looks, splitChoices } from "./summary";

const CLASSES_SHOWN = 8;

/** What is asked only where the delivery is added to a dataset. */
export type Appending = Pick<Schemas["AppendCreate"], "duplicates" | "carry_decisions">;

export interface Choice extends Pick<
  Schemas["DatasetCreate"],
  "name" | "split" | "limit" | "all_or_nothing"
> {
  appending: Appending;
}

interface Props {
  name: string;
  into: Into;
  report: Report;
  wish: Wish;
  onWish: (wish: Wish) => void;
  onImport: (choice: Choice) => void;
  onCancel: () => void;
  importing: boolean;
}

export function Summary({ name, into, report, wish, onWish, onImport, onCancel, importing }: Props) {
  const [choice, setChoice] = useState<Partial<Choice>>({ name });
  const [appending, setAppending] = useState<Appending>({ duplicates: "skip", carry_decisions: true });
  const splits = splitChoices(report);
  const split = choice.split ?? firstSplit(report);
  const rows = classRows(report, split);
  const samples = rows.reduce((sum, row) => sum + row.count, 0);
  const typed = (choice.name ?? "").trim();
  const change = (part: Partial<Choice>) => setChoice({ ...choice, ...part });
  return (
    <div className="preflight">
      <p className="preflight-recognised">
        <strong>{FORMAT_NAMES[report.recognised] ?? report.recognised}</strong>
        <span className="dim">{report.reason}</span>
      </p>
      {report.columns && <ColumnChoice report={report} wish={wish} onWish={onWish} />}
      {report.warnings.map((warning) => (
        <div className="note note-warn" key={warning.code}>
          <IconAlertTriangle size={18} stroke={1.75} className="note-icon" />
          <div className="note-body">{warning.message}</div>
        </div>
      ))}
      {splits.length > 0 && (
        <SegmentedControl
          aria-label="Split"
          data={splits}
          value={split}
          onChange={(value) => change({ split: value as Choice["split"] })}
        />
      )}
      <div className="preflight-counts">
        <strong className="number">{count(samples)}</strong> {samples === 1 ? "image" : "images"} in{" "}
        <strong className="number">{count(rows.length)}</strong> classes
      </div>
      <ClassBars rows={rows} shown={CLASSES_SHOWN} />
      <ul className="lines dim">
        {looks(report).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {report.unreadable_count > 0 && (
        <details className="options">
          <summary>{many(report.unreadable_count, "item")} would be left out</summary>
          <ul className="lines">
            {report.unreadable.map(({ item, code, message }) => (
              <li key={`${item} ${code}`}>
                <strong>{item}</strong> <span className="dim">{message}</span>
              </li>
            ))}
            {report.unreadable_count > report.unreadable.length && (
              <li className="dim">… and {count(report.unreadable_count - report.unreadable.length)} more</li>
            )}
          </ul>
        </details>
      )}
      <details className="options">
        <summary>Options</summary>
        <div className="options-grid">
          <Select
            label="Read as"
            data={[
              { value: "auto", label: "What it was recognised as" },
              ...Object.entries(FORMAT_NAMES).map(([value, label]) => ({ value, label })),
            ]}
            value={wish.format}
            allowDeselect={false}
            onChange={(format) => onWish({ format: (format ?? "auto") as Format, columns: {} })}
          />
          <NumberInput
            label="Limit"
            description="Take only the first samples"
            placeholder="All"
            min={2}
            allowDecimal={false}
            thousandSeparator=","
            value={choice.limit ?? ""}
            onChange={(limit) => change({ limit: typeof limit === "number" ? limit : null })}
          />
          <Checkbox
            className="options-wide"
            label="All or nothing"
            description="Refuse the dataset when a single image cannot be read, instead of listing it and keeping the rest"
            checked={choice.all_or_nothing ?? false}
            onChange={(event) => change({ all_or_nothing: event.currentTarget.checked })}
          />
        </div>
      </details>
      {into && (
        <div className="preflight-append">
          <Select
            label={`Images that ${into.name} holds already`}
            data={[
              { value: "skip", label: "Leave them out" },
              { value: "keep", label: "Add them again" },
            ]}
            value={appending.duplicates}
            allowDeselect={false}
            onChange={(duplicates) => duplicates && setAppending({ ...appending, duplicates })}
          />
          <CarryDecisions
            checked={appending.carry_decisions}
            onChange={(carry_decisions) => setAppending({ ...appending, carry_decisions })}
          />
        </div>
      )}
      <form
        className="preflight-go"
        onSubmit={(event) => {
          event.preventDefault();
          onImport({
            name: typed === "" ? name : typed,
            split,
            limit: choice.limit ?? null,
            all_or_nothing: choice.all_or_nothing ?? false,
            appending,
          });
        }}
      >
        <TextInput
          label="Name"
          maxLength={200}
          value={choice.name ?? ""}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Button variant="default" onClick={onCancel} disabled={importing}>
          Discard
        </Button>
        <Button type="submit" loading={importing}>
          {into ? "Add" : "Import"} {count(choice.limit ? Math.min(choice.limit, samples) : samples)}
        </Button>
      </form>
    </div>
  );
}

/** Columns that were guessed, each to be corrected; a correction looks again. */
function ColumnChoice({ report, wish, onWish }: Pick<Props, "report" | "wish" | "onWish">) {
  const columns = report.columns;
  if (!columns) return null;
  const uses = (Object.keys(COLUMN_NAMES) as (keyof typeof COLUMN_NAMES)[]).filter(
    (use) => (columns.candidates[use] ?? []).length > 0,
  );
  return (
    <fieldset className="preflight-columns">
      <legend className="dim">Columns, as they were understood</legend>
      {uses.map((use) => (
        <Select
          key={use}
          label={COLUMN_NAMES[use]}
          placeholder="none"
          data={columns.candidates[use] ?? []}
          value={columns.chosen[use] ?? null}
          clearable={use !== "image" && use !== "label"}
          allowDeselect={false}
          searchable={(columns.candidates[use] ?? []).length > 8}
          onChange={(column) => onWish({ ...wish, columns: { ...wish.columns, [use]: column ?? "" } })}
        />
      ))}
      {report.annotators.length > 0 && (
        <p className="dim preflight-annotators">
          {many(report.annotators.length, "annotator")}: {report.annotators.join(", ")}
        </p>
      )}
    </fieldset>
  );
}
