/** About what the audit will take: device, time, and disk, which may not suffice. */
import type { Schemas } from "@/api/client";
import { bytes, duration } from "@/parts/format";

interface Props {
  device: string | undefined;
  estimate: Schemas["RunEstimate"] | undefined;
}

export function Costs({ device, estimate }: Props) {
  const { seconds, disk_bytes: needed, free_bytes: free } = estimate ?? {};
  const said = [
    // "auto" is known only once a run has begun.
    device && device !== "auto" && `on ${device}`,
    seconds != null && `about ${duration(seconds)}`,
    needed != null && `about ${bytes(needed)} of disk`,
  ].filter(Boolean);
  const tight = needed != null && free != null && needed > free;
  return (
    <span className="dim number costs" role="status">
      {said.join(", ")}
      {tight && (
        <strong className="costs-tight"> Only {bytes(free)} are free: it would run out of space.</strong>
      )}
    </span>
  );
}
