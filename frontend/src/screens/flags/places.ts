/** Where one was in the gallery, by entry of the browser's history. Knows nothing of React or the router. */

export interface Place {
  /** Position in the list of the first sample in sight; holds for any width of the window. */
  first: number;
  /** The sample under the cursor. */
  cursor: number | null;
}

interface Kept {
  read(): string | null;
  write(text: string): void;
}

const MOST = 60;

export class Places {
  private readonly places: Map<string, Place>;

  constructor(
    private readonly kept: Kept,
    private readonly most = MOST,
  ) {
    this.places = new Map(recall(kept));
  }

  get(entry: string): Place | undefined {
    return this.places.get(entry);
  }

  put(entry: string, place: Place) {
    this.places.delete(entry);
    this.places.set(entry, place);
    for (const oldest of this.places.keys()) {
      if (this.places.size <= this.most) break;
      this.places.delete(oldest);
    }
  }

  /** Write them down; called when the page goes away. */
  keep() {
    this.kept.write(JSON.stringify([...this.places]));
  }
}

function recall(kept: Kept): [string, Place][] {
  try {
    const read: unknown = JSON.parse(kept.read() ?? "[]");
    return Array.isArray(read) ? (read as [string, Place][]) : [];
  } catch {
    return [];
  }
}
