// The waiting room: one's own picture, what is waited for, and nothing to do.
import { useEffect, useRef } from 'preact/hooks';
import { giveUp, phase, waiting, waitingWords } from '../state/call';
import { followDevices, forgetCheck, stopCheck } from '../state/check';
import { entry } from '../state/entry';
import { settings } from '../state/settings';
import { DeviceProblems, Listening } from './device';
import { Frame } from './frame';
import { Preview } from './preview';
import { RoomPresence, useRoomPresence } from './roompresence';

export function WaitingPage({ room }: { room: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { for: who, connected } = waiting.value;
  const [title, advice] = waitingWords(who);
  const sees = entry.value.kind === 'open' && entry.value.watch;
  useRoomPresence(sees ? room : '');
  useEffect(() => {
    heading.current?.focus();
    const stop = followDevices();
    return () => {
      stop();
      if (phase.value === 'in') forgetCheck();
      else stopCheck();
    };
  }, []);
  useEffect(() => {
    document.title = `${title} · ${room}`;
  }, [title, room]);
  return (
    <Frame class="checking" home={false}>
      <main>
        <div class="check" data-testid="waiting" data-for={who} data-state={connected ? 'connected' : 'reconnecting'}>
          <Preview name={settings.value.name || 'You'} />
          <div class="check-form">
            <p class="quiet small">{room}</p>
            <div role="status" data-testid="waiting-words">
              <h1 ref={heading} tabIndex={-1}>
                <span class="breath" /> {title}
              </h1>
              <p class="quiet waiting-advice">
                {connected
                  ? `${advice} There is nothing else to do.`
                  : 'The connection is lost. Connecting again; your place is kept.'}
              </p>
            </div>
            {sees && <RoomPresence room={room} />}
            <Listening />
            <button type="button" class="button wide" data-testid="waiting-leave" onClick={giveUp}>
              Stop waiting
            </button>
            <DeviceProblems />
          </div>
        </div>
      </main>
    </Frame>
  );
}
