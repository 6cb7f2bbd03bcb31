// The frame of the pages around a call: the wordmark, which leads to the first page, and the rest.
import type { ComponentChildren } from 'preact';
import { go } from '../state/route';
import { Logo } from '../ui/logo';

interface FrameProps {
  class?: string;
  /** The wordmark is a link. */
  home?: boolean;
  /** What stands right of the wordmark. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Frame({ class: extra = '', home = true, aside, children }: FrameProps) {
  const mark = (
    <>
      <Logo /> Parley
    </>
  );
  return (
    <div class={`page ${extra}`}>
      <header>
        {home ? (
          <a
            class="wordmark"
            href="/"
            onClick={(e) => {
              e.preventDefault();
              go('/');
            }}
          >
            {mark}
          </a>
        ) : (
          <span class="wordmark">{mark}</span>
        )}
        {aside}
      </header>
      {children}
    </div>
  );
}
