// The native modal dialog: it traps focus, closes on Escape and gives focus back by itself.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { IconButton } from './button';
import { CloseIcon } from './icons';

interface DialogProps {
  title: string;
  onClose: () => void;
  testid?: string;
  /** Attributes for tests. */
  data?: Record<`data-${string}`, string>;
  children: ComponentChildren;
}

/** A dialog that is open for as long as it is rendered. */
export function Dialog({ title, onClose, testid, data, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a native dialog by itself
    <dialog
      ref={ref}
      aria-labelledby={id}
      data-testid={testid}
      {...data}
      onClose={onClose}
      onClick={(e) => {
        if (e.target === ref.current) onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon={CloseIcon} label="Close" onClick={onClose} />
      </div>
      {children}
    </dialog>
  );
}
