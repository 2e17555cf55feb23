/** What is done seldom on a screen: a menu of ways and dialogs, to which the focus returns from these. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, type Icon } from "@tabler/icons-react";
import { Fragment, useRef, useState, type ReactNode } from "react";

import type { DialogProps } from "./Dialog";

export interface MoreEntry {
  word: string;
  icon: Icon;
  /** One of both: what opens, or what happens at once. */
  dialog?: (told: DialogProps) => ReactNode;
  act?: () => void;
  /** Does away with something: stands apart, in red. */
  destroys?: boolean;
}

/** False entries are those that are not possible here; without any there is no button either. */
export function More({ entries }: { entries: (MoreEntry | false)[] }) {
  const [open, setOpen] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const offered = entries.filter((entry) => entry !== false);
  if (offered.length === 0) return null;
  const onClose = () => {
    setOpen(null);
    // The entry that had the focus before is gone with the menu.
    button.current?.focus();
  };
  return (
    <>
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon ref={button} variant="default" size={36} aria-label="More">
            <IconDots size={18} stroke={1.75} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {offered.map(({ word, icon: Shape, destroys, act }, position) => (
            <Fragment key={word}>
              {destroys && position > 0 && <Menu.Divider />}
              <Menu.Item
                className={destroys ? "more-destroys" : undefined}
                leftSection={<Shape size={16} stroke={1.75} />}
                onClick={act ?? (() => setOpen(word))}
              >
                {word}
              </Menu.Item>
            </Fragment>
          ))}
        </Menu.Dropdown>
      </Menu>
      {offered.map(({ word, dialog }) => (
        <Fragment key={word}>{dialog?.({ opened: open === word, onClose })}</Fragment>
      ))}
    </>
  );
}
