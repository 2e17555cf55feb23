/** A path on the server, with what could follow while it is typed. */
import { Autocomplete, Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { serverFolders } from "@/api/preflights";
import { Card } from "@/parts/Page";

export function ServerFolder({ onChosen }: { onChosen: (folder: string) => void }) {
  const [folder, setFolder] = useState("");
  const [open, setOpen] = useState(false);
  const suggested = useQuery({ ...serverFolders(folder), placeholderData: keepPreviousData });
  const closed = suggested.data?.opened === false;
  return (
    <Card>
      <form
        className="server-folder"
        onSubmit={(event) => {
          event.preventDefault();
          onChosen(folder.trim());
        }}
      >
        <Autocomplete
          label="Folder or archive"
          description={
            closed
              ? "This installation has opened no folder: NOISE_AUDIT_SERVER_FOLDERS names those that may be read."
              : "As the server sees it, below a folder that the installation opened. Nothing is copied beforehand."
          }
          placeholder={suggested.data?.items[0] ?? "/data/images"}
          data={suggested.data?.items ?? []}
          // What the server suggests follows what was typed already.
          filter={({ options }) => options}
          value={folder}
          onChange={setFolder}
          dropdownOpened={open}
          onDropdownOpen={() => setOpen(true)}
          onDropdownClose={() => setOpen(false)}
          // A folder is a step on the way: what lies in it comes next.
          onOptionSubmit={(chosen) => setTimeout(() => setOpen(chosen.endsWith("/")))}
          spellCheck={false}
          maxDropdownHeight={260}
        />
        <Button type="submit" disabled={!folder.trim()}>
          Look
        </Button>
      </form>
    </Card>
  );
}
