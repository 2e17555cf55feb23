/** Signing in by the one-time code of the printed address (…/#code=…) or of the form. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { answer, client, problemOf, type Problem, type Schemas } from "@/api/client";
import { session } from "@/api/queries";

/** The code in what was pasted: a bare code, a fragment, or the whole printed address. */
export function codeIn(text: string): string {
  const found = /[#&?]code=([^&\s]+)/.exec(text);
  return found?.[1] === undefined ? text.trim() : decodeURIComponent(found[1]);
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["SignIn"]) => answer(client.POST("/api/session", { body })),
    onSuccess: (account) => {
      // What another account was told goes; the question who is signed in stays, for its screen waits for the answer.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== session.queryKey[0] });
      queries.setQueryData(session.queryKey, account);
    },
  });
}

/** Taken out of the address before anything else sees it, and only once. */
function takeCode(): string | null {
  if (!/[#&]code=/.test(window.location.hash)) return null;
  const code = codeIn(window.location.hash);
  window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  return code;
}

const codeOfAddress = takeCode();
let spent = false;

/** Spends the code that the address came with; `pending` until the server has answered. */
export function useCodeOfAddress(): { pending: boolean; problem: Problem | null } {
  const { mutate } = useSignIn();
  const [state, setState] = useState({
    pending: codeOfAddress !== null && !spent,
    problem: null as Problem | null,
  });
  useEffect(() => {
    if (codeOfAddress === null || spent) return;
    spent = true;
    mutate(
      { code: codeOfAddress },
      {
        onSuccess: () => setState({ pending: false, problem: null }),
        onError: (error) => setState({ pending: false, problem: problemOf(error) }),
      },
    );
  }, [mutate]);
  return state;
}
