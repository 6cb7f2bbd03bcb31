// The statistics panel: the connection, then every stream with why it is what it is.
import type { RoomStats, StreamStats } from 'parley-sdk';
import { me, people } from '../state/call';
import { attempt, notify } from '../state/notices';
import { looks, rates, statsJSON, streamKey, useStats } from '../state/stats';
import { connectionRows, headline, type Row, streamRows, streamTitle } from '../text/figures';
import { CopyIcon, SaveIcon } from '../ui/icons';
import { Side } from './side';

export function StatsPanel() {
  const now = useStats();
  return (
    <Side title="Statistics" testid="stats-panel">
      <div class="side-body stats">{now ? <Figures now={now} /> : <p class="quiet">Taking a look…</p>}</div>
      <div class="side-foot stats-foot">
        <button type="button" class="button" data-testid="stats-copy" disabled={!now} onClick={() => void copy()}>
          <CopyIcon size={20} /> Copy
        </button>
        <button type="button" class="button" data-testid="stats-save" disabled={!now} onClick={save}>
          <SaveIcon size={20} /> Save as JSON
        </button>
      </div>
    </Side>
  );
}

function Figures({ now }: { now: RoomStats }) {
  return (
    <>
      <section aria-label="Your connection">
        <h3>Your connection</h3>
        <Rows rows={connectionRows(now)} />
      </section>
      {people.value.map((p) => {
        const streams = now.streams.filter((s) => s.participant === p.id);
        if (streams.length === 0) return null;
        const name = p.id === me.value ? 'What you send' : p.name;
        return (
          <section key={p.id} aria-label={name}>
            <h3>{name}</h3>
            {streams.map((s) => (
              <Stream key={streamKey(s)} stream={s} />
            ))}
          </section>
        );
      })}
    </>
  );
}

function Stream({ stream: s }: { stream: StreamStats }) {
  return (
    <details class="stream" data-testid="stream" data-kind={s.kind} data-direction={s.direction}>
      <summary>
        <span class="stream-title">{streamTitle(s)}</span>
        <Spark values={rates(streamKey(s), looks.value.slice(-60))} />
        <span class="stream-line number quiet">{headline(s)}</span>
        {s.why && s.reason !== 'best' && <span class="stream-line">{s.why}</span>}
      </summary>
      <Rows rows={streamRows(s)} />
    </details>
  );
}

function Rows({ rows }: { rows: readonly Row[] }) {
  return (
    <table class="figures">
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// The bit rate of the last minute, against its own peak.
function Spark({ values }: { values: readonly number[] }) {
  const peak = Math.max(1, ...values);
  const points = values.map(
    (v, i) => `${(60 - values.length + i + 1).toFixed(0)},${(18 - (v / peak) * 16).toFixed(1)}`,
  );
  return (
    <svg class="spark" viewBox="0 0 61 20" width="61" height="20" aria-hidden="true">
      <polyline points={points.join(' ')} fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
  );
}

async function copy(): Promise<void> {
  const copied = await attempt(() => navigator.clipboard.writeText(statsJSON()));
  if (copied) notify({ title: 'Statistics copied' });
}

function save(): void {
  const url = URL.createObjectURL(new Blob([statsJSON()], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `parley-statistics-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser has begun to save it by then
}
