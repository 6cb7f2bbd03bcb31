// Inviting: a link to copy, share or scan, what it allows, and the links that are out already.

import type { Invitation, Permission } from 'parley-sdk';
import { useEffect, useRef, useState } from 'preact/hooks';
import { can, locked, people, room } from '../state/call';
import { handOut, links, listed, type Making, makeInvitation, making, readLinks, revoke, wish } from '../state/invite';
import { attempt } from '../state/notices';
import { roomLink } from '../state/route';
import { wayToInvite } from '../state/server';
import { dialog } from '../state/view';
import { names, span, until } from '../text/format';
import { chosen, guestChoices, guestMay, lifeChoices, lifeOf } from '../text/invite';
import { problem } from '../text/problems';
import { Dialog } from '../ui/dialog';
import { CopyIcon, DownIcon, QRIcon, ShareIcon } from '../ui/icons';
import { announce } from '../ui/live';
import { ProblemNote } from '../ui/note';

function close(): void {
  if (dialog.value === 'invite') dialog.value = undefined;
}

export function InviteDialog() {
  const joined = room.value;
  const way = wayToInvite(can.value);
  useEffect(() => {
    if (joined && way === 'invitation') void makeInvitation(joined);
  }, [joined, way]);
  if (!joined) return null;
  const state = way === 'invitation' ? making.value.kind : way;
  return (
    <Dialog title="Invite" testid="invite-dialog" data={{ 'data-invite': state }} onClose={close}>
      <div class="stack">
        {way === 'plain' && <Plain name={joined.name} />}
        {way === 'none' && <None name={joined.name} knock={false} />}
        {way === 'knock' && <None name={joined.name} knock />}
        {way === 'invitation' && <Made state={making.value} />}
      </div>
    </Dialog>
  );
}

function Plain({ name }: { name: string }) {
  return (
    <>
      <p class="quiet">
        {locked.value
          ? 'The room is locked: whoever opens this link asks to be let in.'
          : 'Whoever opens this link is in.'}
      </p>
      <LinkLine link={roomLink(name)} />
    </>
  );
}

// Who may not invite is told who can.
function None({ name, knock }: { name: string; knock: boolean }) {
  const hosts = people.value.filter((p) => p.moderator && !p.me).map((p) => p.name);
  const who = hosts.length > 0 ? names(hosts) : 'a host of this server';
  return (
    <>
      <p>
        Links to this room are made by its moderators. Ask {who} for one
        {hosts.length > 0 && ': they find “Invite” where you did'}.
      </p>
      {knock && (
        <>
          <p class="quiet">Or send the room’s address: whoever opens it can ask to be let in.</p>
          <LinkLine link={roomLink(name)} />
        </>
      )}
    </>
  );
}

function Made({ state }: { state: Making }) {
  const wished = wish.value;
  const change = (next: typeof wished) => {
    wish.value = { ...wished, ...next };
    if (room.value) void makeInvitation(room.value);
  };
  return (
    <>
      <fieldset class="pick">
        <legend class="unseen">How guests come in</legend>
        <Radio
          id="invite-at-once"
          label="Let guests in at once"
          on={!wished.knock}
          pick={() => change({ knock: false })}
        />
        <Radio
          id="invite-asks"
          label="Guests ask first"
          on={wished.knock === true}
          pick={() => change({ knock: true })}
        />
      </fieldset>
      {state.kind === 'failed' ? (
        <ProblemNote problem={problem(state.code, state.message)}>
          <button
            type="button"
            class="button tight"
            data-testid="invite-again"
            onClick={() => room.value && void makeInvitation(room.value)}
          >
            Try again
          </button>
        </ProblemNote>
      ) : (
        <LinkLine link={state.kind === 'ready' ? state.link : ''} />
      )}
      {state.kind === 'ready' && (
        <p class="quiet small" role="status">
          For this room only, good until {until(state.invitation.expiresAt, new Date())}. Whoever has it can{' '}
          {guestMay(state.invitation.can)}
          {locked.value && !wished.knock ? '. The room is locked: they ask first all the same' : ''}.
        </p>
      )}
      <Options state={state} change={change} />
      <Links shown={state.kind === 'ready' ? state.invitation : undefined} />
    </>
  );
}

function Radio({ id, label, on, pick }: { id: string; label: string; on: boolean; pick: () => void }) {
  return (
    <label class={on ? 'on' : ''}>
      <input type="radio" name="invite-knock" checked={on} data-testid={id} onChange={pick} />
      {label}
    </label>
  );
}

/** The link, ready to be copied, shared or scanned. */
function LinkLine({ link }: { link: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<'' | 'copied' | 'byhand'>('');
  const [qr, setQR] = useState(false);
  useEffect(() => setCopied(''), [link]);
  const copy = async () => {
    handOut();
    try {
      await navigator.clipboard.writeText(link);
      setCopied('copied');
      announce('Link copied.');
    } catch {
      // No clipboard on an insecure page or without permission: the link is selected, to be copied by hand.
      input.current?.focus();
      input.current?.select();
      setCopied('byhand');
    }
  };
  return (
    <div class="stack close">
      <div class="with-button">
        <input
          ref={input}
          class="input link"
          readOnly
          value={link}
          placeholder="Making a link…"
          aria-label="Link to this room"
          aria-describedby="copied"
          data-testid="invite-link"
          onFocus={(e) => e.currentTarget.select()}
          onCopy={handOut}
        />
        <button
          type="button"
          class="button primary"
          disabled={!link}
          data-testid="invite-copy"
          onClick={() => void copy()}
        >
          <CopyIcon size={18} /> {copied === 'copied' ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p id="copied" class="small" role="status" hidden={copied !== 'byhand'}>
        The browser does not let this page copy. The link is selected: copy it with Ctrl+C, or press on it for long.
      </p>
      <div class="row">
        {typeof navigator.share === 'function' && (
          <button
            type="button"
            class="button"
            disabled={!link}
            data-testid="invite-share"
            onClick={() => {
              handOut();
              void navigator.share({ title: 'Join my call', url: link }).catch(() => undefined); // closed again: no news
            }}
          >
            <ShareIcon size={18} /> Share
          </button>
        )}
        <button
          type="button"
          class="button"
          disabled={!link}
          aria-expanded={qr}
          data-testid="invite-show-qr"
          onClick={() => {
            handOut();
            setQR(!qr);
          }}
        >
          <QRIcon size={18} /> {qr ? 'Hide the QR code' : 'Show a QR code'}
        </button>
      </div>
      {qr && link && <QR text={link} />}
    </div>
  );
}

// Dark on white with its quiet margin in either look: cameras want that.
function QR({ text }: { text: string }) {
  const [code, setCode] = useState<{ size: number; path: string }>();
  useEffect(() => {
    let current = true;
    void import('uqr').then(({ encode }) => {
      const { data, size } = encode(text, { ecc: 'M', border: 4 });
      const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
      if (current) setCode({ size, path });
    });
    return () => {
      current = false;
    };
  }, [text]);
  return (
    <figure class="qr">
      {code && (
        <svg
          viewBox={`0 0 ${code.size} ${code.size}`}
          shape-rendering="crispEdges"
          role="img"
          aria-label="QR code of the link"
          data-testid="invite-qr"
        >
          <path fill="#fff" d={`M0 0h${code.size}v${code.size}h-${code.size}z`} />
          <path fill="#000" d={code.path} />
        </svg>
      )}
      <figcaption class="small quiet">Point a phone’s camera at it.</figcaption>
    </figure>
  );
}

type Change = (next: typeof wish.value) => void;

function Options({ state, change }: { state: Making; change: Change }) {
  const invitation = state.kind === 'ready' ? state.invitation : undefined;
  const set = wish.value.can ?? invitation?.can;
  const choices = guestChoices(can.value, set);
  const life = wish.value.ttl ?? (invitation && lasts(invitation));
  const lives = lifeChoices(life);
  const moderates = set?.includes('moderate') ?? false;
  const guests = (plain: string, moderate: boolean) =>
    change({ can: [...plain.split(' '), moderate ? 'moderate' : ''].filter(Boolean) as Permission[] });
  return (
    <details class="more">
      <summary data-testid="invite-more">
        Options <DownIcon size={18} />
      </summary>
      <div class="stack options">
        <div class="field">
          <label for="invite-ttl">The link is good for</label>
          <select
            id="invite-ttl"
            class="select"
            value={String(life === undefined ? '' : lifeOf(lives, life))}
            data-testid="invite-ttl"
            onChange={(e) => change({ ttl: Number(e.currentTarget.value) })}
          >
            {lives.map((seconds) => (
              <option key={seconds} value={String(seconds)}>
                {span(seconds)}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="invite-can">Guests may</label>
          <select
            id="invite-can"
            class="select"
            value={chosen(choices, set ?? [])}
            data-testid="invite-can"
            onChange={(e) => guests(e.currentTarget.value, moderates)}
          >
            {choices.map((c) => (
              <option key={c.value} value={c.value}>
                {c.label}
              </option>
            ))}
          </select>
        </div>
        {can.value.has('moderate') && (
          <label class="toggle">
            <input
              type="checkbox"
              checked={moderates}
              data-testid="invite-moderate"
              onChange={(e) => guests(chosen(choices, set ?? []), e.currentTarget.checked)}
            />
            <span>
              They may moderate, too
              <span class="small quiet below">Let people in, mute and remove them, invite others</span>
            </span>
          </label>
        )}
      </div>
    </details>
  );
}

function lasts(i: Invitation): number {
  return Math.round((i.expiresAt.getTime() - i.madeAt.getTime()) / 1000);
}

function Links({ shown }: { shown: Invitation | undefined }) {
  const out = listed(links.value, shown);
  if (out.length === 0) return null;
  const end = (id?: string) => void attempt(async () => room.value && revoke(room.value, id));
  return (
    <details class="more" onToggle={() => room.value && void readLinks(room.value)}>
      <summary data-testid="invitations">
        Links to this room <span class="quiet number">{out.length}</span> <DownIcon size={18} />
      </summary>
      <ul class="links">
        {out.map((i) => (
          <li key={i.id} data-testid="invitation" data-id={i.id}>
            <span class="link-what">
              {i.label || (i.knock ? 'Guests ask first' : 'In at once')}
              {i.id === shown?.id && ' (shown above)'}
              <span class="small quiet below">
                {uses(i.uses)}, until {until(i.expiresAt, new Date())}. They can {guestMay(i.can)}
              </span>
            </span>
            <button type="button" class="button tight" data-testid="revoke" onClick={() => end(i.id)}>
              Revoke
            </button>
          </li>
        ))}
      </ul>
      {out.length > 1 && (
        <button type="button" class="button tight" data-testid="revoke-all" onClick={() => end()}>
          Revoke all
        </button>
      )}
      <p class="small quiet">A revoked link lets nobody in any more. Who is in stays in.</p>
    </details>
  );
}

function uses(n: number): string {
  return n === 0 ? 'Nobody came by it yet' : n === 1 ? 'Used once' : `Used ${n} times`;
}
