/** What one sets for oneself (keys, theme, tokens), and what this installation is. */
import { useLocation } from "@tanstack/react-router";
import { useEffect } from "react";

import { Card, Page } from "@/parts/Page";

import { AccountFacts } from "./AccountFacts";
import { Installation } from "./Installation";
import { KeySettings } from "./KeySettings";
import { ThemeChoice } from "./ThemeChoice";
import { Tokens } from "./Tokens";
import "./settings.css";

const PARTS = [
  { id: "keys", title: "Keys", says: "Kept in this browser.", Part: KeySettings },
  { id: "theme", title: "Theme", says: "Kept in this browser.", Part: ThemeChoice },
  { id: "account", title: "Account", says: "Who decides here.", Part: AccountFacts },
  { id: "tokens", title: "API tokens", says: "For scripts and the command line.", Part: Tokens },
  { id: "installation", title: "Storage and device", says: "What serves these pages.", Part: Installation },
];

export function Settings() {
  const { hash } = useLocation();
  useEffect(() => {
    document.getElementById(hash)?.scrollIntoView();
  }, [hash]);
  return (
    <Page title="Settings">
      <div className="settings">
        <nav className="settings-nav" aria-label="Parts of the settings">
          {PARTS.map(({ id, title }) => (
            <a key={id} href={`#${id}`} className="settings-link">
              {title}
            </a>
          ))}
        </nav>
        <div className="stack">
          {PARTS.map(({ id, title, says, Part }) => (
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
