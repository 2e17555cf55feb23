/** The one screen for whom the server does not know: paste the code that it printed. */
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";

import { problemOf, type Problem } from "@/api/client";
import { ProblemNote } from "@/parts/States";

import { codeIn, useSignIn } from "./signInCode";
import "./signin.css";

export function SignIn({ problem }: { problem: Problem | null }) {
  const [text, setText] = useState("");
  const signIn = useSignIn();
  const shown = signIn.isError ? problemOf(signIn.error) : problem;
  return (
    <main className="signin">
      <form
        className="signin-box"
        onSubmit={(event) => {
          event.preventDefault();
          if (codeIn(text)) signIn.mutate(codeIn(text));
        }}
      >
        <img src="/favicon.svg" width={36} height={36} alt="" />
        <h1>Sign in to Noise Audit</h1>
        <p className="dim">
          The server printed an address with a one-time code when it started. Open that address, or paste it here.
        </p>
        {shown && <ProblemNote problem={shown} />}
        <TextInput
          label="Address or code"
          placeholder="http://127.0.0.1:8765/#code=…"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          autoFocus
        />
        <Button type="submit" fullWidth loading={signIn.isPending} disabled={!codeIn(text)}>
          Sign in
        </Button>
        <p className="faint signin-foot">
          A code works once. <code>noise-audit token --login</code> on the server prints a new one.
        </p>
      </form>
    </main>
  );
}
