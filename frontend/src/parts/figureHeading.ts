/** A figure's title and the quieter line below it, out of the markup in which plotly wants them. Pure. */
import type { Figure } from "@/api/queries";

export function headingOf(figure: Pick<Figure, "layout">): { title: string; subtitle: string } {
  const text = (figure.layout as { title?: { text?: string } }).title?.text ?? "";
  const [title = "", subtitle = ""] = text.split("<br>").map((part) => part.replace(/<[^>]+>/g, ""));
  return { title, subtitle };
}
