/** Numbers, times and sizes as people read them. Pure. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 12,345 */
export const count = (value: number) => whole.format(value);

/** "1 sample", "12 samples" */
export const many = (value: number, one: string, more = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : more}`;

/** A share in [0, 1] as a percentage; one digit below 10 %, and never 0 % or 100 % for what is not. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value > 0 && value < 0.1) return "<0.1 %";
  if (value < 100 && value > 99.9) return ">99.9 %";
  return `${value.toFixed(value > 0 && value < 10 ? 1 : value > 99 && value < 100 ? 1 : 0)} %`;
}

/** "8 s", "1 min 20 s", "2 h 5 min" */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 60) return `${rounded} s`;
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60)
    return rounded % 60 && minutes < 10 ? `${minutes} min ${rounded % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 60)} h`;
}

/** "14.2 MB" (powers of 1000, as browsers and file managers show) */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(unit === 0 || size >= 100 ? 0 : 1)} ${units[unit] ?? ""}`;
}

/** "just now", "5 min ago", "3 h ago", then the date */
export function ago(iso: string, now: number = Date.now()): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return date(iso);
}

/** "Feb 3, 2026", in the reader's own time zone */
export const date = (iso: string) =>
  new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" }).format(new Date(iso));

/** " after epoch 7"; what was judged without training has an epoch 0 only, which is none. */
export const afterEpoch = (epoch: number) => (epoch > 0 ? ` after epoch ${epoch}` : "");

/** "14:05:09", in the reader's own time zone */
export const clock = (iso: string) =>
  new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" }).format(new Date(iso));

/** A number with as many digits as it deserves: 4.13, 0.0021, 1,240 */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000) return whole.format(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 0.1 || size === 0) return value.toFixed(2);
  return value.toPrecision(2);
}
