/** Nobody gets further than this without a session. */
import { Center, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";

import { session } from "@/api/queries";
import { Shell } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";

import { SignIn } from "./SignIn";
import { useCodeOfAddress } from "./signInCode";

export function Root() {
  const spending = useCodeOfAddress();
  const who = useQuery({ ...session, enabled: !spending.pending });
  if (spending.pending || who.isPending) {
    return (
      <Center h="60vh">
        <Loader size="sm" aria-label="Loading" />
      </Center>
    );
  }
  if (who.isError) return <ErrorState error={who.error} retry={() => void who.refetch()} />;
  if (who.data === null) return <SignIn problem={spending.problem} />;
  return (
    <Shell account={who.data}>
      <Outlet />
    </Shell>
  );
}
