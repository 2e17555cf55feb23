/** The kinds of noise that can be planted, in words. */
import type { Schemas } from "@/api/client";

export type Kind = Exclude<Schemas["InjectCreate"]["kind"], undefined>;

export const KINDS: { value: Kind; label: string; says: string }[] = [
  {
    value: "symmetric",
    label: "Symmetric",
    says: "The share is drawn anew over all classes, so some draw the right one again.",
  },
  {
    value: "symmetric-exclusive",
    label: "Symmetric, always wrong",
    says: "The share is drawn over the other classes: exactly so many are wrong.",
  },
  {
    value: "instance",
    label: "By image",
    says: "Images that look like another class get its label, as people err.",
  },
];

/** "symmetric noise"; the kind's own name where the page does not offer it. */
export function kindName(kind: string): string {
  const known = KINDS.find(({ value }) => value === kind)?.label.toLowerCase() ?? kind;
  return `noise, ${known}`;
}
