/** Space, workers and queue of the installation: what uses how much, and what is free. For admins. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { installation, type InstallationUse } from "@/api/installation";
import { ago, bytes, count, duration, many } from "@/parts/format";
import { Stat } from "@/parts/Page";
import { ErrorState, Loading } from "@/parts/States";
import { StatusMark } from "@/parts/StatusBadge";
import "@/accounts/accounts.css";

import { Retention } from "./Retention";

const KINDS: Record<InstallationUse["artifacts"][number]["kind"], string> = {
  datasets: "Images of datasets",
  runs: "Results, networks and checkpoints",
  uploads: "Uploads",
  other: "Other files",
};
const SHOWN = 8;

export function Resources() {
  const asked = useQuery(installation);
  if (asked.isError) return <ErrorState error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.isPending) return <Loading rows={4} height={40} />;
  const { artifacts, database_bytes, disk, queue } = asked.data;
  const files = artifacts.reduce((sum, { bytes: size }) => sum + size, 0);
  return (
    <div className="resources">
      <div className="stats">
        <Stat name="Files" value={bytes(files)} note={many(total(artifacts), "file")} />
        <Stat name="Database" value={bytes(database_bytes)} />
        <Stat
          name="Free"
          value={disk ? bytes(disk.free_bytes) : "–"}
          note={
            disk
              ? `of ${bytes(disk.total_bytes)}; ${bytes(disk.keep_free_bytes)} stay free`
              : "kept in a bucket"
          }
        />
        <Stat
          name="Queue"
          value={count(queue.waiting)}
          note={
            queue.waiting > 0
              ? `waiting, for up to ${duration(queue.oldest_waiting_seconds)}`
              : `waiting; ${many(queue.running, "job")} at work`
          }
        />
      </div>
      <Space use={asked.data} files={files} />
      <Workers workers={asked.data.workers} />
      <Largest use={asked.data} />
      <Retention use={asked.data} />
    </div>
  );
}

const total = (parts: { files: number }[]) => parts.reduce((sum, { files }) => sum + files, 0);

/** What the files are, each kind as a share of all. */
function Space({ use, files }: { use: InstallationUse; files: number }) {
  return (
    <section>
      <h3>Files</h3>
      <ul className="space">
        {use.artifacts.map(({ kind, bytes: size }) => (
          <li key={kind}>
            <span>{KINDS[kind]}</span>
            <span className="space-bar" aria-hidden>
              <i style={{ width: `${files === 0 ? 0 : (size / files) * 100}%` }} />
            </span>
            <span className="number dim">{bytes(size)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Workers({ workers }: Pick<InstallationUse, "workers">) {
  return (
    <section>
      <h3>Workers</h3>
      {workers.length === 0 ? (
        <p className="dim people-text">
          None: imports and audits wait until one is started with <code>noise-audit worker</code>.
        </p>
      ) : (
        <div className="table-wide" tabIndex={0} role="region" aria-label="Workers">
          <table className="people">
            <caption className="visually-hidden">Workers</caption>
            <Head names={["Host", "Trains on", "Cores", "Memory", "State"]} />
            <tbody>
              {workers.map((worker) => (
                <tr key={worker.id}>
                  <th scope="row">{worker.host}</th>
                  <td className="dim">{worker.device}</td>
                  <td className="dim number">{count(worker.cores)}</td>
                  <td className="dim number">
                    {worker.memory_bytes == null ? "–" : bytes(worker.memory_bytes)}
                    {worker.memory_free_bytes != null && ` (${bytes(worker.memory_free_bytes)} free)`}
                  </td>
                  <td>
                    <StatusMark tone={worker.alive ? "good" : "dim"}>
                      {worker.alive ? "Ready" : `Last seen ${ago(worker.seen_at)}`}
                    </StatusMark>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Largest({ use }: { use: InstallationUse }) {
  const shown = use.datasets.slice(0, SHOWN);
  if (shown.length === 0) return null;
  return (
    <section>
      <h3>
        {shown.length < use.datasets_total
          ? `The ${shown.length} largest of ${many(use.datasets_total, "dataset")}`
          : "Datasets"}
      </h3>
      <div className="table-wide" tabIndex={0} role="region" aria-label="Space of the datasets">
        <table className="people">
          <caption className="visually-hidden">Datasets by the space they take with their audits</caption>
          <Head names={["Name", "Owner", "Audits", "Files", "Database"]} />
          <tbody>
            {shown.map(({ id, name, owner, runs, artifact_bytes, database_bytes }) => (
              <tr key={id}>
                <th scope="row">
                  <Link to="/datasets/$datasetId" params={{ datasetId: id }} className="plain resources-name">
                    {name}
                  </Link>
                </th>
                <td className="dim">{owner}</td>
                <td className="dim number">{count(runs)}</td>
                <td className="dim number">{bytes(artifact_bytes)}</td>
                <td className="dim number">{bytes(database_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Head({ names }: { names: string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
