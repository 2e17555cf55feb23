/** What opens over a screen and waits to be answered: meanwhile keys mean nothing to what is beneath. */
import { Modal, type ModalProps } from "@mantine/core";

import { useKeysOff } from "@/keys/useKeys";

import "./dialog.css";

export function Dialog(props: ModalProps) {
  useKeysOff(props.opened);
  return <Modal {...props} />;
}
