/** What surrounds every screen: where one is, the palette, the theme, the keys, the account. */
import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import {
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSettings,
  IconSun,
  IconUser,
} from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { answer, client, type Account } from "@/api/client";
import { KeyOf } from "@/keys/Kbd";
import { KeyHelp } from "@/keys/KeyHelp";
import { useKeys } from "@/keys/useKeys";
import { Palette } from "@/palette/Palette";

import { Breadcrumbs } from "./Breadcrumbs";
import "./shell.css";

export function Shell({ account, children }: { account: Account; children: ReactNode }) {
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const navigate = useNavigate();
  useKeys({
    help: () => setHelp(true),
    palette: () => setPalette(true),
    goHome: () => void navigate({ to: "/" }),
  });
  return (
    <>
      <header className="shell">
        <Link to="/" className="shell-brand plain" aria-label="Noise Audit, home">
          <img src="/favicon.svg" width={22} height={22} alt="" />
          <span>Noise Audit</span>
        </Link>
        <Breadcrumbs />
        <div className="shell-tools">
          <button type="button" className="shell-search" onClick={() => setPalette(true)}>
            <IconSearch size={15} stroke={1.75} aria-hidden />
            <span>Search or do…</span>
            <KeyOf action="palette" />
          </button>
          <Tooltip label="Keys">
            <ActionIcon size="lg" aria-label="Show the keys" onClick={() => setHelp(true)}>
              <IconKeyboard size={18} stroke={1.6} />
            </ActionIcon>
          </Tooltip>
          <ThemeSwitch />
          <AccountMenu account={account} />
        </div>
      </header>
      <KeyHelp opened={help} onClose={() => setHelp(false)} />
      <Palette opened={palette} onClose={() => setPalette(false)} />
      {children}
    </>
  );
}

function ThemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Use the ${other} theme`}>
      <ActionIcon size="lg" aria-label={`Use the ${other} theme`} onClick={() => setColorScheme(other)}>
        {scheme === "dark" ? <IconSun size={18} stroke={1.6} /> : <IconMoon size={18} stroke={1.6} />}
      </ActionIcon>
    </Tooltip>
  );
}

function AccountMenu({ account }: { account: Account }) {
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: () => answer(client.DELETE("/api/session")),
    onSettled: () => {
      // Nothing of this account stays behind for the next: neither answers nor decisions to undo.
      sessionStorage.clear();
      window.location.assign("/");
    },
  });
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <ActionIcon size="lg" aria-label={`Account ${account.name}`}>
          <IconUser size={18} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {account.name} · {account.role}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconSettings size={16} stroke={1.75} />}
          onClick={() => void navigate({ to: "/settings" })}
        >
          Settings
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.75} />} onClick={() => leave.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
