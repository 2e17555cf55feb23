/** The cleaned dataset with its images, in the form it came or another. */
import { Radio } from "@mantine/core";
import { useState } from "react";

import type { ExportList } from "@/api/client";
import type { Unreviewed } from "@/api/queries";
import { bytes, many } from "@/parts/format";
import { Card } from "@/parts/Page";

import { FileRow } from "./FileRow";

interface Props {
  runId: string;
  offered: ExportList;
  policy: Unreviewed;
  held: boolean;
}

export function CleanedDataset({ runId, offered, policy, held }: Props) {
  const [wanted, setWanted] = useState<string | null>(null);
  const came = offered.forms.find((form) => form.as_delivered);
  const chosen = offered.forms.find((form) => form.format === wanted) ?? came;
  return (
    <Card
      title="The cleaned dataset"
      aside={`${many(offered.images, "image")}, ${bytes(offered.image_bytes)}`}
    >
      <Radio.Group value={chosen?.format ?? ""} onChange={setWanted} aria-label="Form of the cleaned dataset">
        <div className="forms">
          {offered.forms.map((form) => (
            <Radio
              key={form.format}
              value={form.format}
              disabled={form.refusal !== null}
              label={
                <>
                  {form.title}
                  {form.as_delivered && (
                    <span className="form-came">
                      {form.format === offered.came_as ? "as it came" : "suggested"}
                    </span>
                  )}
                </>
              }
              description={form.refusal === null ? form.says : `Not for this dataset: ${form.refusal}.`}
            />
          ))}
        </div>
      </Radio.Group>
      {chosen && (
        <div className="files">
          <FileRow
            runId={runId}
            what="dataset"
            title={chosen.title}
            says={`images ${chosen.images}; with the hash of every file`}
            format={chosen.format}
            formatName="ZIP"
            policy={policy}
            held={held}
            main
          />
        </div>
      )}
    </Card>
  );
}
