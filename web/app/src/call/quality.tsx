// Three bars for a connection's quality, and the note that explains them.
import type { StreamStats } from 'parley-sdk';
import { tileKey } from '../layout/plan';
import { held, me, qualities } from '../state/call';
import type { Person } from '../state/people';
import { useStats } from '../state/stats';
import { panel } from '../state/view';
import { explain, levelWord } from '../text/quality';
import { Popover } from '../ui/popover';

/** Bars lit for the SDK's level of 1 to 5; undefined: not known yet. Pure. */
export function barsFor(level: number | undefined): 0 | 1 | 2 | 3 {
  if (level === undefined) return 0;
  if (level <= 2) return 1;
  return level === 3 ? 2 : 3;
}

interface QualityProps {
  person: Person;
  stream: 'camera' | 'screen';
}

/** The bars as a button that explains itself. Nothing while nothing is known. */
export function Quality({ person: p, stream }: QualityProps) {
  const level = qualities.value.get(p.id);
  const lit = barsFor(level);
  if (lit === 0) return null;
  const whose = p.me ? 'Your' : `${p.name}’s`;
  return (
    <Popover
      label={`${whose} connection: ${levelWord(level)}. Explain`}
      class={lit === 1 ? 'quality poor' : 'quality'}
      testid="quality"
      face={
        <span class="bars">
          {[1, 2, 3].map((n) => (
            <i key={n} class={n <= lit ? 'on' : ''} />
          ))}
        </span>
      }
    >
      {(close) => <Explanation person={p} stream={stream} close={close} />}
    </Popover>
  );
}

function Explanation({ person: p, stream, close }: QualityProps & { close: () => void }) {
  const now = useStats();
  const e = explain({
    name: p.name,
    me: p.me,
    stream,
    level: qualities.value.get(p.id),
    mine: qualities.value.get(me.value),
    on: p[stream] === 'live',
    held: held.value.get(tileKey(p.id, stream)),
    video: largest((now?.streams ?? []).filter((s) => s.participant === p.id && s.kind === stream)),
  });
  return (
    <>
      <h3>{e.title}</h3>
      <p>{now || p[stream] !== 'live' ? e.seen : 'Taking a look…'}</p>
      {e.why && <p>{e.why}</p>}
      <p class="quiet">{e.helps}</p>
      <button
        type="button"
        class="button tight"
        data-testid="all-figures"
        onClick={() => {
          close();
          panel.value = 'stats';
        }}
      >
        All figures
      </button>
    </>
  );
}

function largest(streams: readonly StreamStats[]): StreamStats | undefined {
  const flowing = streams.filter((s) => s.bitrate > 0);
  return [...(flowing.length > 0 ? flowing : streams)].sort((a, b) => (b.width ?? 0) - (a.width ?? 0))[0];
}
