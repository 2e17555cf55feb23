/** A resumable upload (tus 1.0) of one file, with what the page shows while it runs. */
import { downloadZip } from "client-zip";
import { Upload, type DetailedError } from "tus-js-client";

import { ApiError, asProblem, UNREACHABLE, type Problem } from "./client";
import { digestOf } from "./digest";

export interface UploadState {
  phase: "sending" | "paused" | "done" | "failed";
  sent: number;
  total: number;
  /** Bytes per second over the last few seconds; null until known. */
  speed: number | null;
  problem: Problem | null;
}

const CHUNK = 8 * 2 ** 20;
const SPEED_WINDOW_MS = 4000;

/** A finished upload, and the digest of what was sent, with which the server compares what arrived. */
export interface Sent {
  upload_id: string;
  digest: string | null;
}

/** One file on its way to the server. It resumes where it stopped, also after the page was closed. */
export class FileUpload {
  state: UploadState;
  private readonly upload: Upload;
  private readonly listeners = new Set<() => void>();
  private readonly digest: Promise<string | null>;
  private marks: { at: number; sent: number }[] = [];

  constructor(
    readonly file: File,
    onDone: (upload: Sent) => void,
  ) {
    this.state = { phase: "sending", sent: 0, total: file.size, speed: null, problem: null };
    // Beside the upload: the browser hashes off the page's own thread. An unreadable file fails in the upload.
    this.digest = digestOf(file).catch(() => null);
    this.upload = new Upload(file, {
      endpoint: "/api/uploads",
      chunkSize: CHUNK,
      retryDelays: [0, 500, 1500, 4000, 10_000, 20_000],
      // The server answers a resume only when both names were given.
      metadata: { filename: file.name, filetype: file.type || "application/octet-stream" },
      removeFingerprintOnSuccess: true,
      onProgress: (sent, total) => this.moved(sent, total),
      onSuccess: () => {
        this.set({ phase: "done", sent: this.file.size });
        void this.digest.then((digest) => onDone({ upload_id: uploadIdOf(this.upload.url ?? ""), digest }));
      },
      onError: (error) => this.set({ phase: "failed", problem: problemOfUpload(error) }),
    });
  }

  /** Start, or go on with what an earlier page of the same file left on the server. */
  async start(): Promise<void> {
    this.set({ phase: "sending", problem: null });
    const earlier = await this.upload.findPreviousUploads();
    const [newest] = earlier;
    if (newest) this.upload.resumeFromPreviousUpload(newest);
    this.upload.start();
  }

  async pause(): Promise<void> {
    await this.upload.abort();
    this.marks = [];
    this.set({ phase: "paused", speed: null });
  }

  resume(): void {
    this.set({ phase: "sending", problem: null });
    this.upload.start();
  }

  /** Stop and let the server forget what it has. */
  async discard(): Promise<void> {
    await this.upload.abort(true).catch(() => this.upload.abort());
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private moved(sent: number, total: number) {
    const now = performance.now();
    this.marks = [...this.marks.filter((mark) => now - mark.at < SPEED_WINDOW_MS), { at: now, sent }];
    const first = this.marks[0] ?? { at: now, sent };
    const speed = now - first.at > 300 ? ((sent - first.sent) / (now - first.at)) * 1000 : this.state.speed;
    this.set({ sent, total, speed });
  }

  private set(change: Partial<UploadState>) {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** Sends one small file to its end; gives the upload's id, or throws what went wrong. */
export function uploaded(file: File, onShare: (share: number) => void = () => undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = new FileUpload(file, ({ upload_id }) => resolve(upload_id));
    sending.subscribe(() => {
      const { phase, sent, total, problem } = sending.state;
      onShare(total > 0 ? sent / total : 1);
      if (phase === "failed") reject(new ApiError(0, problem ?? UNREACHABLE));
    });
    void sending.start();
  });
}

/** The id at the end of an upload's address. */
export function uploadIdOf(url: string): string {
  return url.split(/[?#]/)[0]?.split("/").filter(Boolean).at(-1) ?? "";
}

function problemOfUpload(error: Error | DetailedError): Problem {
  if (error instanceof ApiError) return error.problem;
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (!response) return UNREACHABLE;
  let body: unknown = null;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    // Not our server's body: described by its status alone.
  }
  return asProblem(body, { status: response.getStatus() });
}

/** A folder's files as one zip, uncompressed (images do not shrink), named after the folder. */
export async function zipOf(name: string, files: { path: string; file: File }[]): Promise<File> {
  const blob = await downloadZip(
    files.map(({ path, file }) => ({ name: path, input: file, lastModified: new Date(file.lastModified) })),
  ).blob();
  const newest = Math.max(0, ...files.map(({ file }) => file.lastModified));
  return new File([blob], `${name}.zip`, { type: "application/zip", lastModified: newest });
}
