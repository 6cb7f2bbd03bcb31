// A button that opens a menu: the native popover, placed beside its button and walked with the arrow keys.
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { type Icon, MoreIcon } from './icons';
import { place } from './place';

interface MenuProps {
  label: string;
  icon?: Icon;
  class?: string;
  testid?: string;
  children: ComponentChildren;
}

export function Menu({ label, icon: I = MoreIcon, class: extra = '', testid, children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  // Its items are drawn before it opens; once it is open it has a size, is put in its place and gets the focus.
  const opened = (event: { newState: string }) => {
    const el = menu.current;
    if (!el || !button.current) return;
    el.classList.toggle('placed', event.newState === 'open');
    if (event.newState !== 'open') return;
    place(el, button.current.getBoundingClientRect());
    items(el)[0]?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`icon ${extra}`}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        data-testid={testid}
        popovertarget={id}
        onClick={(e) => e.stopPropagation()}
      >
        <I />
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        class="menu"
        onBeforeToggle={(e) => setOpen(e.newState === 'open')}
        onToggle={opened as never}
        onKeyDown={(e) => walk(e, menu.current)}
        onClick={(e) => {
          e.stopPropagation();
          if ((e.target as Element).closest('.menu-item')) menu.current?.hidePopover();
        }}
      >
        {open && children}
      </div>
    </>
  );
}

interface ItemProps {
  icon?: Icon;
  danger?: boolean;
  testid?: string;
  onClick: () => void;
  children: ComponentChildren;
}

export function MenuItem({ icon: I, danger, testid, onClick, children }: ItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      class={danger ? 'menu-item danger' : 'menu-item'}
      data-testid={testid}
      onClick={onClick}
    >
      {I && <I size={20} />}
      <span>{children}</span>
    </button>
  );
}

function items(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>('.menu-item')];
}

function walk(event: KeyboardEvent, menu: HTMLElement | null): void {
  if (!menu) return;
  const all = items(menu);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const step = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (step === undefined || all.length === 0) return;
  event.preventDefault();
  all[step % all.length]?.focus();
}
