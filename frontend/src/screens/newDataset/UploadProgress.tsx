/** An upload as it goes: how much, how fast, pause, resume. */
import { Button, Progress } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconX } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";

import type { FileUpload } from "@/api/uploads";
import { bytes, duration } from "@/parts/format";
import { Card } from "@/parts/Page";
import { ProblemNote } from "@/parts/States";

interface Props {
  upload: FileUpload;
  onDiscard: () => void;
  /** The upload is complete and the dataset is being made of it. */
  preparing: boolean;
}

export function UploadProgress({ upload, onDiscard, preparing }: Props) {
  const state = useSyncExternalStore(upload.subscribe, () => upload.state);
  const share = state.total > 0 ? state.sent / state.total : 0;
  const left = state.speed ? (state.total - state.sent) / state.speed : null;
  return (
    <div className="stack">
      <Card>
        <div className="upload">
          <div className="upload-line">
            <strong className="row-name">{upload.file.name}</strong>
            <span className="dim number">{Math.floor(share * 100)} %</span>
          </div>
          <Progress
            value={share * 100}
            size="sm"
            color={state.phase === "failed" ? "red" : "brand"}
            animated={state.phase === "sending"}
            aria-label={`Upload of ${upload.file.name}`}
          />
          <div className="upload-line">
            <span className="dim number">
              {bytes(state.sent)} of {bytes(state.total)}
              {state.phase === "sending" && state.speed !== null && ` · ${bytes(state.speed)}/s`}
              {state.phase === "sending" && left !== null && ` · ${duration(left)} left`}
              {state.phase === "paused" && " · paused"}
              {(state.phase === "done" || preparing) && " · complete"}
            </span>
            <span className="upload-actions">
              {state.phase === "sending" && (
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconPlayerPause size={14} />}
                  onClick={() => void upload.pause()}
                >
                  Pause
                </Button>
              )}
              {(state.phase === "paused" || state.phase === "failed") && (
                <Button size="xs" leftSection={<IconPlayerPlay size={14} />} onClick={() => upload.resume()}>
                  Resume
                </Button>
              )}
              {state.phase !== "done" && (
                <Button
                  size="xs"
                  variant="subtle"
                  color="gray"
                  leftSection={<IconX size={14} />}
                  onClick={() => {
                    void upload.discard();
                    onDiscard();
                  }}
                >
                  Cancel
                </Button>
              )}
            </span>
          </div>
        </div>
      </Card>
      {state.problem && <ProblemNote problem={state.problem} />}
      <p className="faint">
        Safe to close this page: choose the same file again and the upload goes on where it stopped.
      </p>
    </div>
  );
}
