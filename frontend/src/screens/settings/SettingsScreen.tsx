/** What one sets for oneself (keys, theme, tokens), and what this installation is. */
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useRef, type ComponentType } from "react";

import { Activity } from "@/accounts/Activity";
import { session } from "@/api/queries";
import { Card, Page } from "@/parts/Page";

import { AccountFacts } from "./AccountFacts";
import { Accounts } from "./Accounts";
import { Installation } from "./Installation";
import { KeySettings } from "./KeySettings";
import { Password } from "./Password";
import { Resources } from "./Resources";
import { Sessions } from "./Sessions";
import { ThemeChoice } from "./ThemeChoice";
import { Tokens } from "./Tokens";
import "./settings.css";

interface Part {
  id: string;
  title: string;
  says: string;
  Part: ComponentType;
  /** Shown to admins alone. */
  admin?: boolean;
}

/** Answers of all parts are there by then, in milliseconds. */
const SETTLED_MS = 2500;

const PARTS: Part[] = [
  { id: "keys", title: "Keys", says: "Kept in this browser.", Part: KeySettings },
  { id: "theme", title: "Theme", says: "Kept in this browser.", Part: ThemeChoice },
  { id: "account", title: "Account", says: "Who decides here.", Part: AccountFacts },
  { id: "password", title: "Password", says: "To sign in by name.", Part: Password },
  { id: "sessions", title: "Sessions", says: "Browsers signed in to this account.", Part: Sessions },
  { id: "tokens", title: "API tokens", says: "For scripts and the command line.", Part: Tokens },
  { id: "accounts", title: "Accounts", says: "Who may come in.", Part: Accounts, admin: true },
  { id: "activity", title: "Activity", says: "Who did what; kept for good.", Part: Activity, admin: true },
  { id: "resources", title: "Space and workers", says: "What uses how much.", Part: Resources, admin: true },
  { id: "installation", title: "Installation", says: "What serves these pages.", Part: Installation },
];

export function Settings() {
  const { hash } = useLocation();
  const admin = useQuery(session).data?.role === "admin";
  const parts = PARTS.filter((part) => admin || part.admin !== true);
  const stack = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const part = document.getElementById(hash);
    if (!part || !stack.current) return;
    part.scrollIntoView();
    // What stands above grows as its answers come.
    const growing = new ResizeObserver(() => part.scrollIntoView());
    growing.observe(stack.current);
    const stop = () => growing.disconnect();
    const timer = setTimeout(stop, SETTLED_MS);
    window.addEventListener("wheel", stop, { once: true });
    return () => {
      stop();
      clearTimeout(timer);
      window.removeEventListener("wheel", stop);
    };
  }, [hash]);
  return (
    <Page title="Settings">
      <div className="settings">
        <nav className="settings-nav" aria-label="Parts of the settings">
          {parts.map(({ id, title }) => (
            <a key={id} href={`#${id}`} className="settings-link">
              {title}
            </a>
          ))}
        </nav>
        <div className="stack" ref={stack}>
          {parts.map(({ id, title, says, Part }) => (
            <div key={id} id={id} className="settings-part">
              <Card title={title} aside={says}>
                <Part />
              </Card>
            </div>
          ))}
        </div>
      </div>
    </Page>
  );
}
