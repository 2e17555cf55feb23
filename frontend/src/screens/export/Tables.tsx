/** What leaves without images: labels, samples and scores as tables; the report, the network, the embedding. */
import { SegmentedControl } from "@mantine/core";
import { useState } from "react";

import type { ExportList } from "@/api/client";
import type { Unreviewed } from "@/api/queries";
import { Card } from "@/parts/Page";

import { FileRow } from "./FileRow";

type TableFormat = "csv" | "json" | "jsonl" | "parquet";

const FORMATS: { value: TableFormat; label: string }[] = [
  { value: "csv", label: "CSV" },
  { value: "json", label: "JSON" },
  { value: "jsonl", label: "JSON Lines" },
  { value: "parquet", label: "Parquet" },
];

const TABLES = [
  { what: "cleaned-labels", title: "Cleaned labels", says: "index, name, given and cleaned label, and why" },
  { what: "samples", title: "All samples", says: "with posterior, loss, margin, suggestion and decision" },
  {
    what: "scores",
    title: "Scores",
    says: "the samples with every score, label quality and place on the map",
  },
];

const OTHERS = [
  {
    what: "report",
    title: "Report",
    says: "one HTML file with figures, counts and the top suspects; opens offline",
    format: "html",
    formatName: "HTML",
  },
  {
    what: "embedding",
    title: "Embedding",
    says: "what the network's last layer sees of each sample",
    format: "parquet",
    formatName: "Parquet",
  },
  {
    what: "model",
    title: "Network",
    says: "the trained weights as safetensors, and the lines that load them",
    format: "zip",
    formatName: "ZIP",
  },
];

interface Props {
  runId: string;
  offered: ExportList;
  policy: Unreviewed;
  held: boolean;
}

export function Tables(props: Props) {
  const [format, setFormat] = useState<TableFormat>("csv");
  const formatName = FORMATS.find(({ value }) => value === format)?.label ?? format;
  return (
    <Card title="Tables">
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label="Format of the tables"
        value={format}
        onChange={setFormat}
        data={FORMATS}
      />
      <div className="files">
        {TABLES.map((table) => (
          <FileRow
            key={table.what}
            {...props}
            {...table}
            format={format}
            formatName={formatName}
            main={table.what === "cleaned-labels"}
          />
        ))}
      </div>
      {format === "csv" && (
        <p className="faint files-note">
          Cells that a spreadsheet would run as a formula are marked with a leading apostrophe; the other
          formats hold them as they are.
        </p>
      )}
    </Card>
  );
}

export function Others(props: Props) {
  return (
    <Card title="About the audit">
      <div className="files">
        {OTHERS.filter(({ what }) => what in props.offered.formats).map((file) => (
          <FileRow key={file.what} {...props} {...file} />
        ))}
      </div>
    </Card>
  );
}
