/** Decisions from a file: looked at first, with an error for each wrong line, then recorded as one batch. */
import { Button, Modal } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answer, client, problemOf, type Dataset, type Schemas } from "@/api/client";
import { uploaded } from "@/api/uploads";
import { useKeysOff } from "@/keys/useKeys";
import { FilePick } from "@/parts/FilePick";
import { count, many } from "@/parts/format";
import { ProblemNote } from "@/parts/States";

import "./import.css";

type Preview = Schemas["ImportPreview"];

const SHOWN = 8;

export function ImportDecisions({ dataset }: { dataset: Dataset }) {
  const [opened, setOpened] = useState(false);
  useKeysOff(opened);
  const [file, setFile] = useState<File | null>(null);
  const [upload_id, setUpload] = useState<string | null>(null);
  const queries = useQueryClient();
  const path = { dataset_id: dataset.id };
  const look = useMutation({
    mutationFn: async (of: File) => {
      const id = await uploaded(of);
      setUpload(id);
      return answer(
        client.POST("/api/datasets/{dataset_id}/decisions/import/preview", {
          params: { path },
          body: { upload_id: id },
        }),
      );
    },
  });
  const apply = useMutation({
    mutationFn: (id: string) =>
      answer(
        client.POST("/api/datasets/{dataset_id}/decisions/import", {
          params: { path },
          body: { upload_id: id, idempotency_key: crypto.randomUUID() },
        }),
      ),
    onSuccess: () => {
      // Other tabs and pages ask again what stands.
      void queries.invalidateQueries();
    },
  });
  const problem = look.error ?? apply.error;
  return (
    <>
      <Button variant="default" leftSection={<IconFileImport size={16} />} onClick={() => setOpened(true)}>
        Import decisions
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Import decisions" size="lg">
        <div className="stack">
          <FilePick
            label="File of decisions"
            accept=".csv,.tsv,.parquet"
            file={file}
            onFile={(chosen) => {
              setFile(chosen);
              apply.reset();
              look.mutate(chosen);
            }}
          >
            CSV or Parquet with a column index or name, and decision (keep, relabel, remove, unsure), label,
            or both; exported samples come back as they are
          </FilePick>
          {problem && <ProblemNote problem={problemOf(problem)} />}
          {apply.data ? (
            <p className="import-done" role="status">
              Recorded <b>{many(apply.data.recorded, "decision")}</b>
              {apply.data.left_out > 0 && `, left out ${many(apply.data.left_out, "line")}`}. One undo in the
              gallery takes them back.
            </p>
          ) : (
            look.data && <Seen seen={look.data} classes={dataset.classes} />
          )}
          {look.data && !apply.data && upload_id && (
            <Button
              disabled={look.data.new === 0}
              loading={apply.isPending}
              onClick={() => apply.mutate(upload_id)}
            >
              Record {many(look.data.new, "decision")}
            </Button>
          )}
        </div>
      </Modal>
    </>
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
