/** How a screen is called in the browser's tab, by its address. Pure. */

const SCREENS: [RegExp, string][] = [
  [/^\/$/, "Home"],
  [/^\/settings/, "Settings"],
  [/^\/datasets\/new$/, "New dataset"],
  [/\/new-run$/, "New audit"],
  [/\/compare$/, "Compare"],
  [/\/flags$/, "Flags"],
  [/\/review\//, "Review"],
  [/\/loss$/, "Loss"],
  [/\/map$/, "Map"],
  [/\/classes$/, "Classes"],
  [/\/sign-off$/, "Sign-off"],
  [/\/export$/, "Export"],
  [/^\/runs\//, "Audit"],
];

/** "Flags · my digits · Noise Audit"; a run at work begins with how far it is. */
export function titleOf(pathname: string, name: string | undefined, percent: number | null): string {
  const path = pathname.length > 1 ? pathname.replace(/\/$/, "") : pathname;
  const screen = SCREENS.find(([address]) => address.test(path))?.[1];
  const part = percent === null ? screen : `${percent} %${screen ? ` · ${screen}` : ""}`;
  return [part, name, "Noise Audit"].filter((one) => one !== undefined).join(" · ");
}
