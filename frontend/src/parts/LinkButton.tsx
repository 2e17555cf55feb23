/** A button that leads somewhere: Mantine's look, the router's checked addresses. */
import { Button, type ButtonProps } from "@mantine/core";
import { createLink, type LinkComponent } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

interface Props extends ButtonProps, Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> {
  ref?: Ref<HTMLAnchorElement>;
}

const Anchor = createLink((props: Props) => <Button component="a" {...props} />);

export const LinkButton: LinkComponent<typeof Anchor> = (props) => <Anchor preload="intent" {...props} />;
