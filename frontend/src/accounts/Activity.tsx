/** Who did what, newest first: of one dataset, or of the whole installation. */
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";

import { ago } from "@/parts/format";
import { ErrorState, Loading } from "@/parts/States";

import { activity } from "./queries";
import { deedWords } from "./words";
import "./accounts.css";

export function Activity({ datasetId }: { datasetId?: string }) {
  const asked = useInfiniteQuery(activity(datasetId));
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={3} height={24} />;
  const deeds = asked.data.pages.flatMap(({ items }) => items);
  return (
    <>
      {deeds.length === 0 && <p className="dim people-text">Nothing was noted yet.</p>}
      <ol className="deeds" aria-label="Activity, newest first">
        {deeds.map((deed) => (
          <li key={deed.id}>
            <span>
              <strong>{deed.account ?? "Nobody signed in"}</strong> {deedWords(deed)}
            </span>
            <time className="dim" dateTime={deed.happened_at} title={deed.happened_at}>
              {ago(deed.happened_at)}
            </time>
          </li>
        ))}
      </ol>
      {asked.hasNextPage && (
        <Button
          size="compact-sm"
          variant="default"
          loading={asked.isFetchingNextPage}
          onClick={() => void asked.fetchNextPage()}
        >
          Show earlier
        </Button>
      )}
    </>
  );
}
