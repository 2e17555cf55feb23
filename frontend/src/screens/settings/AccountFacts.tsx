/** Who is signed in here, and how somebody else gets an account. */
import { useQuery } from "@tanstack/react-query";

import { session } from "@/api/queries";

export function AccountFacts() {
  const account = useQuery(session).data;
  if (!account) return null;
  return (
    <>
      <dl className="facts-list">
        <div>
          <dt className="dim">Signed in as</dt>
          <dd>{account.name}</dd>
        </div>
        <div>
          <dt className="dim">Role</dt>
          <dd>{account.role}</dd>
        </div>
      </dl>
      <p className="dim account-others">
        Decisions carry this name. An admin gives others accounts of their own here, or with{" "}
        <code>noise-audit user add NAME</code> on the server.
      </p>
    </>
  );
}
