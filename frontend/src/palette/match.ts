/** Which entries of the palette fit what is typed, the closest first. Pure. */

export interface Findable {
  label: string;
  /** Found by, but worth less than the label. */
  detail?: string;
}

/** Every word typed must occur; the beginning of a word counts more than its middle, the label more than the rest. */
export function matching<E extends Findable>(entries: readonly E[], typed: string): E[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...entries];
  return entries
    .map((entry, position) => ({ entry, position, score: scoreOf(entry, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.position - b.position)
    .map(({ entry }) => entry);
}

function scoreOf({ label, detail = "" }: Findable, words: readonly string[]): number {
  const scores = words.map((word) => Math.max(4 * placeOf(label, word), placeOf(detail, word)));
  return scores.includes(0) ? 0 : scores.reduce((sum, score) => sum + score, 0);
}

function placeOf(text: string, word: string): number {
  const at = text.toLowerCase().indexOf(word);
  if (at < 0) return 0;
  if (at === 0) return 3;
  return /[\s\-_./]/.test(text.charAt(at - 1)) ? 2 : 1;
}
