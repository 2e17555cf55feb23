/** What stands above gallery and review: the server is away, or refused a decision. */
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconWifiOff } from "@tabler/icons-react";

import type { Decisions } from "@/decisions/useDecisions";
import { many } from "@/parts/format";

export function Banners({ decisions }: { decisions: Decisions }) {
  return (
    <>
      {decisions.offline && (
        <div className="banner" role="status">
          <IconWifiOff size={15} aria-hidden /> The server is away. {many(decisions.pending, "decision")} of
          yours {decisions.pending === 1 ? "waits" : "wait"} here and {decisions.pending === 1 ? "is" : "are"}{" "}
          sent when it is back: go on.
        </div>
      )}
      {decisions.refused && (
        <div className="banner banner-bad" role="alert">
          <IconAlertTriangle size={15} aria-hidden /> The server refused a decision, it was taken back:{" "}
          {decisions.refused.message}
          <Button size="compact-xs" variant="subtle" color="gray" onClick={decisions.dismissRefusal}>
            Dismiss
          </Button>
        </div>
      )}
    </>
  );
}
