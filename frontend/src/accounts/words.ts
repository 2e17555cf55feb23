/** Roles, scopes, deeds and browsers in words. Pure. */
import type { AccountRole, DatasetRole, Deed } from "./queries";

export const ACCOUNT_ROLES: { value: AccountRole; label: string; says: string }[] = [
  { value: "admin", label: "Admin", says: "Keeps accounts, sees every dataset." },
  { value: "editor", label: "Editor", says: "Brings data in and audits it." },
  { value: "reviewer", label: "Reviewer", says: "Decides on the datasets shared with them." },
  { value: "viewer", label: "Viewer", says: "Looks at the datasets shared with them." },
];

export const DATASET_ROLES: { value: DatasetRole; label: string }[] = [
  { value: "owner", label: "Owner" },
  { value: "editor", label: "Editor" },
  { value: "reviewer", label: "Reviewer" },
  { value: "viewer", label: "Viewer" },
];

const DEEDS: Record<string, string> = {
  "session.begin": "signed in",
  "session.refused": "a sign-in was refused",
  "session.end": "signed a browser out",
  "session.end_others": "signed all other browsers out",
  "account.create": "added the account",
  "account.change": "changed the account",
  "account.code": "made a one-time code for",
  "account.password": "set a new password",
  "token.create": "made a token",
  "token.revoke": "revoked a token",
  "upload.finish": "uploaded a file",
  "dataset.create": "made the dataset",
  "dataset.stop": "stopped the import",
  "dataset.delete": "deleted the dataset",
  "preflight.create": "looked at a delivery",
  "duplicates.search": "had duplicates looked for",
  "self_test.create": "started a self-test",
  "decisions.create": "decided",
  "decisions.import": "decided by a file",
  "decisions.clear": "took decisions back",
  "review.set": "made the review",
  "review.adjudicate": "settled disagreements",
  "run.create": "started an audit",
  "run.stop": "stopped an audit",
  "run.delete": "deleted an audit",
  prune: "removed what was left over",
  export: "took away",
  "member.set": "gave a role to",
  "member.remove": "took a member off",
};

/** "added the account ann as editor"; an action that has no words yet is called by its name. */
export function deedWords({ action, detail }: Pick<Deed, "action" | "detail">): string {
  const parts = [DEEDS[action] ?? action];
  if (typeof detail.name === "string") parts.push(detail.name);
  if (typeof detail.what === "string") parts.push(detail.what.replaceAll("-", " "));
  if (typeof detail.role === "string") parts.push(`as ${detail.role}`);
  if (typeof detail.recipe === "string") parts.push(`with ${detail.recipe}`);
  if (typeof detail.recorded === "number") {
    parts.push(`on ${detail.recorded.toLocaleString("en")} ${detail.recorded === 1 ? "sample" : "samples"}`);
  }
  if (typeof detail.blind === "boolean") parts.push(detail.blind ? "blind" : "open");
  if (detail.disabled === true) parts.push("(shut)");
  if (detail.disabled === false) parts.push("(opened)");
  return parts.join(" ");
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** "Firefox on Linux", as far as the browser tells; its own words for anything else. */
export function browserWords(agent: string): string {
  const named = (known: [RegExp, string][]) => known.find(([sign]) => sign.test(agent))?.[1];
  const browser = named(BROWSERS);
  const system = named(SYSTEMS);
  if (browser === undefined) return agent.slice(0, 40) || "Unknown browser";
  return system === undefined ? browser : `${browser} on ${system}`;
}
