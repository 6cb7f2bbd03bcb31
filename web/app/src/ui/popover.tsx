// A button that opens a note about something: the native popover, beside its button. It closes by Escape or a click elsewhere.
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { place } from './place';

interface PopoverProps {
  /** What the button says to a screen reader. */
  label: string;
  class: string;
  testid?: string;
  /** What the button shows. */
  face: ComponentChildren;
  /** What the note shows; drawn while it is open. */
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, class: name, testid, face, children }: PopoverProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const note = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const opened = (event: { newState: string }) => {
    const el = note.current;
    if (!el || !button.current) return;
    el.classList.toggle('placed', event.newState === 'open');
    if (event.newState !== 'open') return;
    place(el, button.current.getBoundingClientRect());
    el.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={name}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        data-testid={testid}
        popovertarget={id}
        onClick={(e) => e.stopPropagation()}
      >
        {face}
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: it only keeps clicks from what lies behind; Escape is the browser's */}
      <div
        ref={note}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={label}
        tabIndex={-1}
        class="menu note-card"
        data-testid={testid && `${testid}-note`}
        onBeforeToggle={(e) => setOpen(e.newState === 'open')}
        onToggle={opened as never}
        onClick={(e) => e.stopPropagation()}
      >
        {open && children(() => note.current?.hidePopover())}
      </div>
    </>
  );
}
