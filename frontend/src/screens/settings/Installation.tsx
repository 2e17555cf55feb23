/** Version, device, workers, space and limits of what serves these pages. */
import { useQuery } from "@tanstack/react-query";

import { system } from "@/api/queries";
import { bytes, count } from "@/parts/format";
import { ErrorState, Loading } from "@/parts/States";

/** Limits that are sizes; what is not named is a number. */
const IN_BYTES: ReadonlySet<string> = new Set([
  "upload_bytes",
  "member_bytes",
  "expanded_bytes",
  "name_bytes",
  "json_bytes",
]);

const LIMITS: Record<string, string> = {
  upload_bytes: "Largest upload",
  expanded_bytes: "Largest archive, unpacked",
  members: "Files in an archive",
  member_bytes: "Largest file in an archive",
  image_pixels: "Pixels of an image",
  classes: "Classes of a dataset",
  queued_runs: "Audits waiting, per account",
};

export function Installation() {
  const asked = useQuery(system);
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={3} height={28} />;
  const { version, device, workers, torch, data_free_bytes: free, limits } = asked.data;
  const facts: [string, string][] = [
    ["Version", version],
    ["Trains on", device],
    ["Workers", workers === 0 ? "none: runs wait until one is started" : count(workers)],
    ["torch", torch ?? "only on the workers"],
    ["Free space", free === null ? "as much as the bucket takes" : bytes(free)],
    ...Object.entries(LIMITS).flatMap(([name, label]): [string, string][] => {
      const limit = limits[name];
      return limit === undefined ? [] : [[label, IN_BYTES.has(name) ? bytes(limit) : count(limit)]];
    }),
  ];
  return (
    <dl className="facts-list">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="dim">{name}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
