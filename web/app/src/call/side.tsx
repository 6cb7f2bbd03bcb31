// The frame of a side panel: a named region that takes the focus when it opens and can be closed.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { panel } from '../state/view';
import { IconButton } from '../ui/button';
import { CloseIcon } from '../ui/icons';

export function Side({ title, testid, children }: { title: string; testid: string; children: ComponentChildren }) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  // Taken before anything inside has the focus: what is inside runs its effects first.
  const before = useRef(document.activeElement as HTMLElement | null);
  useLayoutEffect(() => {
    const panel = heading.current?.closest('.side');
    if (!panel?.contains(document.activeElement)) heading.current?.focus();
    return () => before.current?.focus?.();
  }, []);
  return (
    <aside class="side" aria-labelledby={id} data-testid={testid}>
      <div class="side-head">
        <h2 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <IconButton
          icon={CloseIcon}
          label={`Close ${title.toLowerCase()}`}
          onClick={() => {
            panel.value = undefined;
          }}
        />
      </div>
      {children}
    </aside>
  );
}
