/** The dataset's classes with their counts. */
import type { Dataset } from "@/api/client";
import { ClassBars } from "@/parts/ClassBars";
import { Card } from "@/parts/Page";

export function ClassTable({ dataset }: { dataset: Dataset }) {
  const rows = dataset.classes.map((name, label) => ({ name, count: dataset.class_counts[label] ?? 0 }));
  return (
    <Card title="Classes" aside="given labels">
      <ClassBars rows={rows} />
    </Card>
  );
}
