/** For an address that leads nowhere. */
import { IconMapPinOff } from "@tabler/icons-react";

import { LinkButton } from "@/parts/LinkButton";
import { EmptyState } from "@/parts/States";

export function NotFound() {
  return (
    <EmptyState
      icon={<IconMapPinOff size={22} stroke={1.6} />}
      title="There is nothing at this address"
      action={
        <LinkButton to="/" variant="default">
          Home
        </LinkButton>
      }
    >
      It may belong to another account, or have been mistyped.
    </EmptyState>
  );
}
