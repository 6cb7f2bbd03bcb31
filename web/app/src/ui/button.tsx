// Buttons with an icon and a label that is always there for a screen reader.
import type { ComponentChildren } from 'preact';
import type { Icon } from './icons';

export interface IconButtonProps {
  icon: Icon;
  label: string;
  /** Shortcut shown in the title. */
  hint?: string;
  /** For toggles: whether it is on. */
  pressed?: boolean;
  expanded?: boolean;
  class?: string;
  disabled?: boolean;
  testid?: string;
  size?: number;
  children?: ComponentChildren;
  onClick: (event: MouseEvent) => void;
}

export function IconButton(p: IconButtonProps) {
  const I = p.icon;
  return (
    <button
      type="button"
      class={`icon ${p.class ?? ''}`}
      aria-label={p.label}
      aria-pressed={p.pressed}
      aria-expanded={p.expanded}
      aria-keyshortcuts={p.hint}
      title={p.hint ? `${p.label} (${p.hint})` : p.label}
      disabled={p.disabled}
      data-testid={p.testid}
      onClick={p.onClick}
    >
      <I size={p.size} />
      {p.children}
    </button>
  );
}
