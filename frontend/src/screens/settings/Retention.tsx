/** Files that nothing needs any more: how many, when they go by themselves, and a button that removes them now. */
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { answer, client, problemOf } from "@/api/client";
import { installation, type InstallationUse } from "@/api/installation";
import { ago, bytes, date, many } from "@/parts/format";
import { ProblemNote } from "@/parts/States";

export function Retention({ use }: { use: InstallationUse }) {
  const queries = useQueryClient();
  const { days, would_free: left, last, next_at: next } = use.retention;
  const { uploads } = use;
  const prune = useMutation({
    mutationFn: () => answer(client.POST("/api/installation/prune")),
    onSuccess: (freed) => {
      notifications.show({ message: `Removed ${many(freed.files, "file")}, ${bytes(freed.bytes)}.` });
      void queries.invalidateQueries({ queryKey: installation.queryKey });
    },
  });
  return (
    <section>
      <h3>Left over</h3>
      <div className="retention">
        <p className="dim people-text">
          {left.files === 0
            ? "Nothing is left over that could go."
            : `${many(left.files, "file")} that nothing needs: ${bytes(left.bytes)}.`}{" "}
          {days > 0
            ? `They go by themselves after ${many(days, "day")}${next ? `, next on ${date(next)}` : ""}.`
            : "They stay until they are removed; NOISE_AUDIT_PRUNE_DAYS sets a schedule."}
          {last && ` Last removed ${ago(last.at)}: ${bytes(last.bytes)}.`}
          {uploads.unfinished_count > 0 &&
            ` ${many(uploads.unfinished_count, "upload")} (${bytes(uploads.unfinished_bytes)}) can still be resumed.`}
        </p>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconTrash size={14} />}
          disabled={left.files === 0}
          loading={prune.isPending}
          onClick={() => prune.mutate()}
        >
          Remove them now
        </Button>
      </div>
      {prune.isError && <ProblemNote problem={problemOf(prune.error)} />}
    </section>
  );
}
