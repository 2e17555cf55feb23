/** What a screen shows when it has nothing, not yet, or not: empty, loading and error states. */
import { Button, Code, CopyButton, Skeleton, Stack } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { problemOf, type Problem } from "@/api/client";

import "./states.css";

interface EmptyProps {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: EmptyProps) {
  return (
    <div className="state">
      <div className="state-icon">{icon}</div>
      <h2>{title}</h2>
      {children && <p className="dim">{children}</p>}
      {action && <div className="state-action">{action}</div>}
    </div>
  );
}

/** What happened, what to do, and a request id to copy; one action. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className="state" role="alert">
      <div className="state-icon state-icon-bad">
        <IconAlertTriangle size={22} stroke={1.75} />
      </div>
      <ProblemText problem={problemOf(error)} />
      {retry && (
        <div className="state-action">
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

/** A problem inside a page, where the page itself is fine. */
export function ProblemNote({ problem, action }: { problem: Problem; action?: ReactNode }) {
  return (
    <div className="note note-bad" role="alert">
      <IconAlertTriangle size={18} stroke={1.75} className="note-icon" />
      <div className="note-body">
        <ProblemText problem={problem} />
      </div>
      {action}
    </div>
  );
}

function ProblemText({ problem }: { problem: Problem }) {
  const found = [
    problem.item ? `In ${problem.item}` : null,
    problem.found !== null && problem.found !== undefined ? `found ${problem.found}` : null,
    problem.limit !== null && problem.limit !== undefined ? `allowed ${problem.limit}` : null,
  ].filter((part) => part !== null);
  return (
    <>
      <h2>{problem.message}</h2>
      {found.length > 0 && <p className="dim">{found.join(", ")}.</p>}
      {problem.hint && <p className="dim">{problem.hint}</p>}
      <p className="faint state-code">
        <Code>{problem.code}</Code>
        {problem.request_id && (
          <CopyButton value={problem.request_id}>
            {({ copied, copy }) => (
              <button type="button" className="state-copy" onClick={copy}>
                {copied ? "copied" : `request ${problem.request_id ?? ""}`}
              </button>
            )}
          </CopyButton>
        )}
      </p>
    </>
  );
}

export function Loading({ rows = 4, height = 56 }: { rows?: number; height?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </Stack>
  );
}
