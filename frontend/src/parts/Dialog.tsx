/** What opens over a screen and waits to be answered: meanwhile keys mean nothing to what is beneath. */
import { Modal, type ModalProps } from "@mantine/core";

import { useKeysOff } from "@/keys/useKeys";

import "./dialog.css";

/** What a dialog is told by whatever opens it. */
export interface DialogProps {
  opened: boolean;
  onClose: () => void;
}

export function Dialog(props: ModalProps) {
  useKeysOff(props.opened);
  return <Modal {...props} />;
}
