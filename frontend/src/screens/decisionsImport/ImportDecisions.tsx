/** Decisions from a file: looked at first, with an error for each wrong line, then recorded as one batch. */
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, client, problemOf, type Dataset, type Schemas } from "@/api/client";
import { Dialog, type DialogProps } from "@/parts/Dialog";
import { TABLES } from "@/parts/FileForm";
import { FilePick } from "@/parts/FilePick";
import { count, many } from "@/parts/format";
import { Loading, ProblemNote } from "@/parts/States";
import { useSentFile } from "@/parts/useSentFile";

import "./import.css";

type Preview = Schemas["ImportPreview"];

const SHOWN = 8;

/** A file that was looked at. */
interface Looked {
  upload_id: string;
  preview: Preview;
}

export function ImportDecisions({ dataset, opened, onClose }: DialogProps & { dataset: Dataset }) {
  const queries = useQueryClient();
  const [looked, setLooked] = useState<Looked | null>(null);
  const path = { dataset_id: dataset.id };
  const sent = useSentFile({
    send: async (upload_id) => {
      const preview = await answer(
        client.POST("/api/datasets/{dataset_id}/decisions/import/preview", {
          params: { path },
          body: { upload_id },
        }),
      );
      return { upload_id, preview };
    },
    onSuccess: setLooked,
  });
  const apply = useMutation({
    mutationFn: ({ upload_id }: Looked) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/decisions/import", {
          params: { path },
          // Sent twice, such as after a lost answer, the file is recorded once.
          body: { upload_id, idempotency_key: upload_id },
        }),
      ),
    // Everything that counts decisions asks again what stands.
    onSuccess: () => void queries.invalidateQueries(),
  });
  function another() {
    setLooked(null);
    apply.reset();
  }
  function close() {
    if (apply.isSuccess) {
      another();
      sent.forget();
    }
    onClose();
  }
  return (
    <Dialog opened={opened} onClose={close} title="Import decisions" size="lg">
      <div className="stack">
        <FilePick
          label="File of decisions"
          accept={TABLES}
          file={sent.file}
          onFile={(file) => {
            another();
            sent.send(file);
          }}
        >
          CSV, JSON Lines or Parquet with a column index or name, and decision (keep, relabel, remove,
          unsure), label, or both; exported samples come back as they are
        </FilePick>
        {sent.pending && <Loading rows={1} height={40} />}
        {(sent.error ?? apply.error) && <ProblemNote problem={problemOf(sent.error ?? apply.error)} />}
        {apply.data ? (
          <p className="import-done" role="status">
            Recorded <b>{many(apply.data.recorded, "decision")}</b>
            {apply.data.left_out > 0 && `, left out ${many(apply.data.left_out, "line")}`}. One undo in the
            gallery takes them back.
          </p>
        ) : (
          looked && (
            <>
              <Seen seen={looked.preview} classes={dataset.classes} />
              <Button
                disabled={looked.preview.new === 0}
                loading={apply.isPending}
                onClick={() => apply.mutate(looked)}
              >
                Record {many(looked.preview.new, "decision")}
              </Button>
            </>
          )
        )}
      </div>
    </Dialog>
  );
}

function Seen({ seen, classes }: { seen: Preview; classes: string[] }) {
  const verdicts = Object.entries(seen.verdicts).map(([verdict, number]) => `${count(number)} ${verdict}`);
  return (
    <div className="import-seen">
      <p>
        <b>{many(seen.new, "new decision")}</b>
        {verdicts.length > 0 && ` (${verdicts.join(", ")})`} of {many(seen.rows, "row")}
        {seen.replaced > 0 && `; ${count(seen.replaced)} take the place of another`}
        {seen.same > 0 && `; ${count(seen.same)} stand already`}
        {seen.empty > 0 && `; ${count(seen.empty)} say nothing`}.
      </p>
      {seen.errors_total > 0 && (
        <div className="note note-warn">
          <div className="note-body">
            <h2>{many(seen.errors_total, "line")} cannot be used and will be left out</h2>
            <ul>
              {seen.errors.slice(0, SHOWN).map(({ where, message }) => (
                <li key={where + message}>
                  <b>{where}</b>: {message}
                </li>
              ))}
              {seen.errors_total > SHOWN && <li>and {count(seen.errors_total - SHOWN)} more</li>}
            </ul>
          </div>
        </div>
      )}
      {seen.changes.length > 0 && (
        <table className="table">
          <caption className="visually-hidden">The first changes</caption>
          <thead>
            <tr>
              <th scope="col">Sample</th>
              <th scope="col">Given</th>
              <th scope="col">Decision</th>
            </tr>
          </thead>
          <tbody>
            {seen.changes.slice(0, SHOWN).map(({ index, name, given_label, verdict, label, before }) => (
              <tr key={index}>
                <td>{name}</td>
                <td>{classes[given_label]}</td>
                <td>
                  {verdict}
                  {label != null && ` to ${classes[label] ?? label}`}
                  {before && <span className="faint"> instead of {before}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {seen.new > SHOWN && (
        <p className="dim">
          The first {SHOWN} of {count(seen.new)}.
        </p>
      )}
    </div>
  );
}
