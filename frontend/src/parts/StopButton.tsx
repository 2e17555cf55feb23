/** Stops what is at work; what the server then says of it is what is shown. */
import { Button } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";

import { problemOf } from "@/api/client";

import { ProblemNote } from "./States";

interface Props {
  word: string;
  stop: () => Promise<unknown>;
  /** Under which the thing itself is kept. */
  of: QueryKey;
}

export function StopButton({ word, stop, of }: Props) {
  const queries = useQueryClient();
  const stopping = useMutation({
    mutationFn: stop,
    onSuccess: (changed) => queries.setQueryData(of, changed),
  });
  if (stopping.isError) return <ProblemNote problem={problemOf(stopping.error)} />;
  return (
    <Button
      variant="default"
      leftSection={<IconPlayerStop size={16} />}
      loading={stopping.isPending || stopping.isSuccess}
      onClick={() => stopping.mutate()}
    >
      {word}
    </Button>
  );
}
