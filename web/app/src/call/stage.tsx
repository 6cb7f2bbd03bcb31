// The stage: measures itself, asks the plan where everybody goes, draws the tiles.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Size } from '../layout/grid';
import { type Plan, plan } from '../layout/plan';
import { lastSpoke, people, speaking } from '../state/call';
import { panel, pinned } from '../state/view';
import { names } from '../text/format';
import { Alone } from './alone';
import { Tile } from './tile';

export function Stage() {
  const ref = useRef<HTMLDivElement>(null);
  const [stage, setStage] = useState<Size>({ width: 0, height: 0 });
  const seated = useRef<readonly string[]>([]);
  const settled = useRef<Size>(stage);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const measure = () => setStage({ width: el.clientWidth, height: el.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, []);

  const all = people.value;
  const now = useMemo(
    () =>
      plan({ people: all, pinned: pinned.value, speaking: speaking.value, lastSpoke, seated: seated.current, stage }),
    [all, pinned.value, speaking.value, stage],
  );
  seated.current = now.seated;
  // While the window itself changes size tiles follow at once; they glide only when people come and go.
  const still = settled.current !== stage;
  settled.current = stage;

  return (
    <div ref={ref} class={still ? 'stage still' : 'stage'} data-testid="stage" data-tiles={now.tiles.length}>
      {inDomOrder(
        now,
        all.map((p) => p.id),
      ).map((t) => {
        const who = all.find((p) => p.id === t.person);
        return who && <Tile key={t.key} tile={t} person={who} />;
      })}
      {now.others && <Others plan={now} />}
      {all.length === 1 && <Alone />}
    </div>
  );
}

// The order in the document stays the order of joining: an element that is moved in the document stops playing.
function inDomOrder(p: Plan, order: readonly string[]): Plan['tiles'] {
  return [...p.tiles].sort((a, b) => order.indexOf(a.person) - order.indexOf(b.person) || (a.key < b.key ? -1 : 1));
}

function Others({ plan: p }: { plan: Plan }) {
  if (!p.others) return null;
  const { rect, people: ids } = p.others;
  const who = ids.map((id) => people.value.find((q) => q.id === id)?.name ?? '');
  return (
    <div
      class="tile"
      style={{ width: `${rect.width}px`, height: `${rect.height}px`, transform: `translate(${rect.x}px, ${rect.y}px)` }}
    >
      <button
        type="button"
        class="others"
        data-testid="others"
        title={names(who, 12)}
        onClick={() => {
          panel.value = 'people';
        }}
      >
        <b>+{ids.length}</b>
        <span class="small">{ids.length === 1 ? 'other' : 'others'}</span>
      </button>
    </div>
  );
}
