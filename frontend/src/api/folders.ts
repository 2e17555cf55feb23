/** Reads what was dropped or picked: single files as they are, folders as a flat list of paths. */

export interface Picked {
  /** Of the folder, or of the single file. */
  name: string;
  files: { path: string; file: File }[];
  isFolder: boolean;
}

const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$)/;

/** Archives that are datasets by themselves; shards (.parquet, .tar) belong together. */
const WHOLE = /\.(zip|tgz|tar\.gz|npz)$/i;

/** What was dropped, as datasets: several archives are several, everything else belongs together. */
export async function readDrop(transfer: DataTransfer): Promise<Picked[]> {
  // Entries must be taken before the first await: the browser empties the transfer afterwards.
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const loose = [...transfer.files];
  const [only] = entries;
  if (entries.length === 1 && only?.isDirectory) {
    const files = await readFolder(only as FileSystemDirectoryEntry, "");
    return [{ name: only.name, files, isFolder: true }];
  }
  if (entries.some((entry) => entry.isDirectory)) {
    const parts = await Promise.all(entries.map((entry) => readEntry(entry, "")));
    return [{ name: "folders", files: parts.flat(), isFolder: true }];
  }
  return readFiles(loose);
}

/** The files that were chosen in a dialog, as datasets. */
export function readFiles(files: File[]): Picked[] {
  if (files.length === 1 || files.every((file) => WHOLE.test(file.name)))
    return files.map((file) => ({ name: file.name, files: [{ path: file.name, file }], isFolder: false }));
  if (files.length === 0) return [];
  return [{ name: "files", files: files.map((file) => ({ path: file.name, file })), isFolder: true }];
}

/** The folder that was chosen in a directory dialog. */
export function readPicked(list: File[]): Picked | null {
  const files = list.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  const [first] = files;
  if (!first) return null;
  const visible = files.filter(({ path }) => !HIDDEN.test(path));
  return { name: first.path.split("/")[0] ?? "folder", files: visible, isFolder: true };
}

async function readFolder(folder: FileSystemDirectoryEntry, prefix: string): Promise<Picked["files"]> {
  const reader = folder.createReader();
  const found: Picked["files"] = [];
  for (;;) {
    // A reader answers at most 100 entries at a time, and nothing when it is done.
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return found;
    for (const entry of batch) found.push(...(await readEntry(entry, `${prefix}${folder.name}/`)));
  }
}

async function readEntry(entry: FileSystemEntry, prefix: string): Promise<Picked["files"]> {
  if (entry.isDirectory) return readFolder(entry as FileSystemDirectoryEntry, prefix);
  const path = prefix + entry.name;
  if (HIDDEN.test(path)) return [];
  const file = await new Promise<File>((resolve, reject) =>
    (entry as FileSystemFileEntry).file(resolve, reject),
  );
  return [{ path, file }];
}
