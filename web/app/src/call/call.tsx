// The page of a call: puts its parts together, listens to the keyboard and to files that are dropped.
import { useEffect, useRef } from 'preact/hooks';
import { admitted, connection, others, unread } from '../state/call';
import { followDevices } from '../state/check';
import { knocks } from '../state/knocks';
import { anyMoving, sendFiles, unsaved } from '../state/transfers';
import { dialog, dropOn, panel } from '../state/view';
import { Banners } from './banners';
import { Bar } from './bar';
import { ChatPanel } from './chat';
import { Dialogs } from './dialogs';
import { dropHandlers } from './drop';
import { Files } from './files';
import { Head } from './head';
import { PeoplePanel } from './people';
import { useShortcuts } from './shortcuts';
import { Stage } from './stage';
import { StatsPanel } from './stats';
import { useWakeLock } from './wakelock';

export function CallPage({ name }: { name: string }) {
  const picker = useRef<HTMLInputElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const pickFiles = (to: string) => {
    const input = picker.current;
    if (!input) return;
    input.dataset.to = to;
    input.click();
  };
  useShortcuts(() => pickFiles(''));
  useWakeLock();
  useEffect(followDevices, []);
  useTitle(name);
  useEffect(() => root.current?.focus(), []);
  useAskBeforeClosing();

  return (
    <div class="call" ref={root} tabIndex={-1} data-testid="call" data-state={connection.value} {...dropHandlers}>
      <Head name={name} />
      <main class="stage-area" aria-label="People in the call">
        <Stage />
        <Banners />
        <Files />
        {dropOn.value === 'all' && <p class="drop-hint">Drop it on somebody, or here to send it to everyone</p>}
      </main>
      {panel.value === 'chat' && <ChatPanel onFile={pickFiles} />}
      {panel.value === 'people' && <PeoplePanel onFile={pickFiles} />}
      {panel.value === 'stats' && <StatsPanel />}
      <Bar />
      {dialog.value && <Dialogs />}
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        data-testid="file-input"
        onChange={(e) => {
          const input = e.currentTarget;
          const to = input.dataset.to || undefined;
          sendFiles([...(input.files ?? [])], to ? [to] : others.value.map((p) => p.id));
          input.value = '';
        }}
      />
    </div>
  );
}

// The tab says what waits in it: that we were let in, people at the door, unread messages.
function useTitle(name: string): void {
  const news = unread.value + knocks.value.length;
  useEffect(() => {
    const count = news > 0 ? `(${news}) ` : '';
    document.title = admitted.value ? `You are in · ${name}` : `${count}${name} · Parley`;
  }, [name, news, admitted.value]);
  useEffect(() => {
    const seen = () => {
      if (document.visibilityState === 'visible') admitted.value = false;
    };
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, []);
}

// Closing the page asks first while files are on their way, or were received and not saved.
function useAskBeforeClosing(): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (anyMoving.value || unsaved.value.length > 0) event.preventDefault();
    };
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, []);
}
