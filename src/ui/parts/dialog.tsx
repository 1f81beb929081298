import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ActionButton } from './pieces.tsx';

interface ConfirmationProps {
  /** On the button that opens it. */
  readonly label: string;
  readonly title: string;
  readonly children: ComponentChildren;
  /** On the button that does it. */
  readonly action: string;
  readonly run: () => Promise<unknown>;
  readonly isDisabled?: boolean;
  readonly kind?: 'danger' | 'main';
  /** Told before it opens, to count what is meant. */
  readonly onOpen?: () => void;
}

/** A button that asks before it acts. Escape and Cancel do nothing; the focus goes back to the button. */
export function Confirmation(props: ConfirmationProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  const open = (): void => {
    props.onOpen?.();
    setOpen(true);
  };
  const close = (): void => dialog.current?.close();
  const act = async (): Promise<void> => {
    await props.run();
    close();
  };
  return (
    <>
      <button type="button" class={props.kind ?? ''} disabled={props.isDisabled === true} onClick={open}>
        {props.label}
      </button>
      {isOpen && (
        <dialog ref={dialog} aria-label={props.title} onClose={() => setOpen(false)}>
          <h2>{props.title}</h2>
          <div>{props.children}</div>
          <div class="actions end">
            <button type="button" onClick={close}>
              Cancel
            </button>
            <ActionButton kind={props.kind ?? 'main'} run={act}>
              {props.action}
            </ActionButton>
          </div>
        </dialog>
      )}
    </>
  );
}
