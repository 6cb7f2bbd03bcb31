// After a call, or instead of one: what happened and what can be done now.
import { useEffect, useRef } from 'preact/hooks';
import { dismissEnding, type Ending, join } from '../state/call';
import { handOver, startCheck } from '../state/check';
import { isRefusal } from '../state/entry';
import { go, route, tokenFor } from '../state/route';
import { settings } from '../state/settings';
import { shortly } from '../text/format';
import { problem } from '../text/problems';
import { useNow } from '../ui/now';
import { Frame } from './frame';

export function OverPage({ why }: { why: Ending }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const words = endingWords(why);
  const wait = Math.max(0, (why.until ?? 0) - useNow());
  useEffect(() => {
    document.title = `${words.title} · Parley`;
    heading.current?.focus();
  }, []);
  return (
    <Frame home={false}>
      <main>
        <div class="ending" data-testid="over" data-code={why.code}>
          <h1 ref={heading} tabIndex={-1}>
            {words.title}
          </h1>
          <p class="quiet">{words.advice}</p>
          <div class="row">
            {words.action && (
              <button
                type="button"
                class={words.retry ? 'button primary number' : 'button number'}
                disabled={wait > 0}
                data-testid={{ again: 'rejoin', knock: 'over-knock', back: 'over-back' }[words.action]}
                onClick={() => act(words.action)}
              >
                {wait > 0 ? `${words.label} in ${shortly(wait)}` : words.label}
              </button>
            )}
            <button
              type="button"
              class={words.action && words.retry ? 'button' : 'button primary'}
              data-testid="over-other"
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
    </Frame>
  );
}

function act(action: EndingWords['action']): void {
  const at = route.value;
  if (action === 'again' || at.page !== 'room') {
    dismissEnding();
    return;
  }
  const { room } = at;
  const take = action === 'back';
  startCheck();
  void join({ room, name: settings.value.name, token: tokenFor(room), knock: !take, take, tracks: handOver });
}

export interface EndingWords {
  title: string;
  advice: string;
  /** It is the first thing to do. */
  retry: boolean;
  /** Back to the check before the call; asking to be let in; taking the call back from another tab. Undefined: neither would work. */
  action: 'again' | 'knock' | 'back' | undefined;
  label: string;
}

/** The words for an ending, and what leads on from it. Pure. */
export function endingWords(why: Ending): EndingWords {
  if (why.code === 'left')
    return {
      title: 'You left the room',
      advice: 'The call goes on without you. You can join again at any time.',
      retry: true,
      action: 'again',
      label: 'Join again',
    };
  const p = problem(why.code, why.message);
  const { title, advice, retry } = p;
  const knock = { title, advice, retry, action: 'knock', label: 'Ask to be let in' } as const;
  if (why.code === 'moved') return { title, advice, retry, action: 'back', label: 'Bring it back' };
  // Whether he is kept out, the server does not say: no button that may only fail.
  if (why.code === 'banned' || why.code === 'removed') return { title, advice, retry, action: undefined, label: '' };
  if (why.code === 'room_locked') return knock;
  if (why.code === 'declined' || why.code === 'too_many_waiting') return { ...knock, label: 'Ask again' };
  const again = why.joined && !isRefusal(why.code) ? 'Join again' : 'Try again';
  return { title, advice, retry: retry || isRefusal(why.code), action: 'again', label: again };
}
