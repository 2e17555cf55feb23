/** One file on its way: chosen, uploaded, handed to the server by whoever knows what it holds. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { uploaded } from "@/api/uploads";

interface Sending<Answer> {
  /** Says to the server what the upload is for. */
  send: (upload_id: string) => Promise<Answer>;
  onSuccess?: (answered: Answer) => unknown;
}

export function useSentFile<Answer>({ send, onSuccess }: Sending<Answer>) {
  const [file, setFile] = useState<File | null>(null);
  const [share, setShare] = useState(0);
  const sending = useMutation({
    mutationFn: async (of: File) => send(await uploaded(of, setShare)),
    onSuccess,
  });
  return {
    file,
    pending: sending.isPending,
    error: sending.error,
    /** How much of the file has arrived, in [0, 1]. */
    share,
    choose: (chosen: File) => {
      setFile(chosen);
      sending.reset();
    },
    submit: () => {
      if (file) sending.mutate(file);
    },
    /** Both at once, where nothing else is asked before. */
    send: (chosen: File) => {
      setFile(chosen);
      sending.mutate(chosen);
    },
    forget: () => {
      setFile(null);
      sending.reset();
    },
  };
}

export type SentFile = ReturnType<typeof useSentFile>;
