/** What can be done with a dataset: the next audit first, what is done seldom in a menu. */
import {
  IconCopy,
  IconFileImport,
  IconFlask,
  IconPhotoPlus,
  IconPlus,
  IconTags,
  IconTrash,
  IconUsers,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";

import { useMay } from "@/accounts/useMay";
import { answer, client, type Dataset } from "@/api/client";
import { dataset as datasetQuery } from "@/api/queries";
import { Delete } from "@/parts/Delete";
import { LinkButton } from "@/parts/LinkButton";
import { More } from "@/parts/More";
import { StopButton } from "@/parts/StopButton";
import { SendAnnotations } from "@/screens/annotators/SendAnnotations";
import { ImportDecisions } from "@/screens/decisionsImport/ImportDecisions";
import { NewLabels } from "@/screens/versions/NewLabels";

import { PlantNoise } from "./PlantNoise";

export function DatasetActions({ dataset }: { dataset: Dataset }) {
  const may = useMay(dataset.id);
  const navigate = useNavigate();
  const params = { path: { dataset_id: dataset.id } };
  const ready = dataset.status === "ready";
  const importing = dataset.status === "importing";
  return (
    <>
      {ready && (
        <LinkButton
          to="/datasets/$datasetId/duplicates"
          params={{ datasetId: dataset.id }}
          variant="default"
          leftSection={<IconCopy size={16} />}
        >
          Duplicates
        </LinkButton>
      )}
      {ready && may("run") && (
        <LinkButton
          to="/datasets/$datasetId/new-run"
          params={{ datasetId: dataset.id }}
          leftSection={<IconPlus size={16} />}
        >
          New audit
        </LinkButton>
      )}
      {importing && may("import") && (
        <StopButton
          word="Stop the import"
          stop={() => answer(client.POST("/api/datasets/{dataset_id}/stop", { params }))}
          of={datasetQuery(dataset.id).queryKey}
        />
      )}
      <More
        entries={[
          ready &&
            may("import") && {
              word: "Add images",
              icon: IconPhotoPlus,
              act: () => void navigate({ to: "/datasets/new", search: { into: dataset.id } }),
            },
          ready &&
            may("import") && {
              word: "Import decisions",
              icon: IconFileImport,
              dialog: (told) => <ImportDecisions dataset={dataset} {...told} />,
            },
          ready &&
            may("import") && {
              word: "Annotators' labels",
              icon: IconUsers,
              dialog: (told) => <SendAnnotations dataset={dataset} {...told} />,
            },
          ready &&
            may("import") && {
              word: "New labels",
              icon: IconTags,
              dialog: (told) => <NewLabels dataset={dataset} {...told} />,
            },
          ready &&
            may("import") && {
              word: "Plant noise",
              icon: IconFlask,
              dialog: (told) => <PlantNoise dataset={dataset} {...told} />,
            },
          !importing &&
            may("delete") && {
              word: "Delete",
              icon: IconTrash,
              destroys: true,
              dialog: (told) => (
                <Delete
                  kind="dataset"
                  id={dataset.id}
                  name={dataset.name}
                  after={() => navigate({ to: "/" })}
                  {...told}
                />
              ),
            },
        ]}
      />
    </>
  );
}
