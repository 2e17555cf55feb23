/** The one screen for whom the server does not know: the printed code, or a name and password. */
import { Button, PasswordInput, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";

import { problemOf, type Problem } from "@/api/client";
import { ProblemNote } from "@/parts/States";

import { codeIn, useSignIn } from "./signInCode";
import "./signin.css";

export function SignIn({ problem }: { problem: Problem | null }) {
  const [by, setBy] = useState<"code" | "password">("code");
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useSignIn();
  const shown = signIn.isError ? problemOf(signIn.error) : problem;
  const code = codeIn(text);
  const complete = by === "code" ? code !== "" : name.trim() !== "" && password !== "";
  return (
    <main className="signin">
      <form
        className="signin-box"
        onSubmit={(event) => {
          event.preventDefault();
          if (complete) signIn.mutate(by === "code" ? { code } : { name: name.trim(), password });
        }}
      >
        <img src="/favicon.svg" width={36} height={36} alt="" />
        <h1>Sign in to Noise Audit</h1>
        {shown && <ProblemNote problem={shown} />}
        <SegmentedControl
          value={by}
          onChange={(value) => {
            setBy(value);
            signIn.reset();
          }}
          data={[
            { value: "code", label: "Printed code" },
            { value: "password", label: "Name and password" },
          ]}
        />
        {by === "code" ? (
          <>
            <p className="dim">
              The server printed an address with a one-time code when it started. Open that address, or paste
              it here.
            </p>
            <TextInput
              label="Address or code"
              placeholder="http://127.0.0.1:8765/#code=…"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
              autoFocus
            />
          </>
        ) : (
          <>
            <TextInput
              label="Name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              autoComplete="username"
              autoFocus
            />
            <PasswordInput
              label="Password"
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              autoComplete="current-password"
            />
          </>
        )}
        <Button type="submit" fullWidth loading={signIn.isPending} disabled={!complete}>
          Sign in
        </Button>
        {by === "code" && (
          <p className="faint signin-foot">
            A code works once, and not for ever: starting the server again prints a new one.
          </p>
        )}
      </form>
    </main>
  );
}
