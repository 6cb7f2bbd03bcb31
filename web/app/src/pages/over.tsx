// After a call, or instead of one: what happened and what can be done now.
import { useEffect, useRef } from 'preact/hooks';
import { dismissEnding, type Ending } from '../state/call';
import { go } from '../state/route';
import { problem } from '../text/problems';
import { Logo } from '../ui/logo';

export function OverPage({ why }: { why: Ending }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const words = endingWords(why);
  useEffect(() => {
    document.title = `${words.title} · Parley`;
    heading.current?.focus();
  }, []);
  return (
    <div class="page">
      <header>
        <span class="wordmark">
          <Logo /> Parley
        </span>
      </header>
      <main>
        <div class="ending" data-testid="over" data-code={why.code}>
          <h1 ref={heading} tabIndex={-1}>
            {words.title}
          </h1>
          <p class="quiet">{words.advice}</p>
          <div class="row">
            <button
              type="button"
              class={words.retry ? 'button primary' : 'button'}
              data-testid="rejoin"
              onClick={dismissEnding}
            >
              {why.joined ? 'Join again' : 'Try again'}
            </button>
            <button
              type="button"
              class="button"
              onClick={() => {
                dismissEnding();
                go('/');
              }}
            >
              Another room
            </button>
          </div>
        </div>
      </main>
    </div>
  );
}

/** The words for an ending. Pure. */
export function endingWords(why: Ending): { title: string; advice: string; retry: boolean } {
  if (why.code === 'left')
    return {
      title: 'You left the room',
      advice: 'The call goes on without you. You can join again at any time.',
      retry: true,
    };
  return problem(why.code, why.message);
}
