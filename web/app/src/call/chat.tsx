// The chat panel: what was said, and a place to write, to everyone or to one.
import type { Message } from 'parley-sdk';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { can, markRead, me, messages, others, people, sendChat } from '../state/call';
import { continues } from '../state/chat';
import { chatDraft, chatTo } from '../state/view';
import { clock } from '../text/format';
import { linkify } from '../text/linkify';
import { IconButton } from '../ui/button';
import { ClipIcon, SendIcon } from '../ui/icons';
import { Side } from './side';

export function ChatPanel({ onFile }: { onFile: (to: string) => void }) {
  return (
    <Side title="Chat" testid="chat-panel">
      <Said />
      {can.value.has('message') ? (
        <Write onFile={onFile} />
      ) : (
        <p class="side-foot quiet small">Your link lets you read along, but not write.</p>
      )}
    </Side>
  );
}

function Said() {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const all = messages.value;
  useLayoutEffect(() => {
    const el = list.current;
    if (el && atEnd.current) el.scrollTop = el.scrollHeight;
  }, [all]);
  useEffect(() => {
    const read = () => {
      if (document.visibilityState === 'visible') markRead();
    };
    read();
    document.addEventListener('visibilitychange', read);
    return () => document.removeEventListener('visibilitychange', read);
  }, [all]);
  return (
    <div
      ref={list}
      class="side-body"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Messages"
      onScroll={(e) => {
        const el = e.currentTarget;
        atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < 40;
      }}
    >
      {all.length === 0 ? (
        <p class="chat-empty">No messages yet. Whoever joins later sees the last 100.</p>
      ) : (
        <ol class="chat-list">
          {all.map((m, i) => (
            <Line key={m.id} message={m} headed={!continues(all[i - 1], m)} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Line({ message: m, headed }: { message: Message; headed: boolean }) {
  const mine = m.from === me.value;
  return (
    <li data-testid="message">
      {headed && (
        <div class="chat-head">
          <b dir="auto">{mine ? 'You' : m.name || 'Guest'}</b>
          {m.to && <span class="chat-private">{mine ? `privately to ${nameOf(m.to)}` : 'privately to you'}</span>}
          <time dateTime={m.at.toISOString()}>{clock(m.at)}</time>
        </div>
      )}
      <p class="chat-text" dir="auto">
        {linkify(m.text).map((piece, i) =>
          piece.href ? (
            <a key={i} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
              {piece.text}
            </a>
          ) : (
            piece.text
          ),
        )}
      </p>
    </li>
  );
}

function nameOf(id: string): string {
  return people.value.find((p) => p.id === id)?.name ?? 'somebody who left';
}

function Write({ onFile }: { onFile: (to: string) => void }) {
  const text = chatDraft.value;
  const setText = (now: string) => {
    chatDraft.value = now;
  };
  const [sending, setSending] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const to = others.value.some((p) => p.id === chatTo.value) ? chatTo.value : '';
  useLayoutEffect(() => {
    // before the next key, which would be a shortcut elsewhere
    // On a phone this would bring up the keyboard before anybody asked for it.
    if (!matchMedia('(pointer: coarse)').matches) field.current?.focus();
  }, [chatTo.value]);

  const send = async () => {
    const line = text.trim();
    if (!line || sending) return;
    setSending(true);
    if (await sendChat(line, to)) setText('');
    setSending(false);
    field.current?.focus();
  };

  return (
    <form
      class="chat-form"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <div class="chat-to">
        <label for="chat-to" class="quiet">
          To
        </label>
        <select
          id="chat-to"
          value={to}
          data-testid="chat-to"
          onChange={(e) => {
            chatTo.value = e.currentTarget.value;
          }}
        >
          <option value="">Everyone</option>
          {others.value.map((p) => (
            <option key={p.id} value={p.id}>
              {p.name}, privately
            </option>
          ))}
        </select>
        <IconButton icon={ClipIcon} label="Send a file" size={20} testid="chat-file" onClick={() => onFile(to)} />
      </div>
      <div class="chat-write">
        <textarea
          ref={field}
          dir="auto"
          rows={Math.min(5, text.split('\n').length)}
          value={text}
          maxLength={4000}
          placeholder="Write a message"
          aria-label="Message"
          enterkeyhint="send"
          data-testid="chat-text"
          onInput={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
            e.preventDefault();
            void send();
          }}
        />
        <IconButton
          icon={SendIcon}
          label="Send"
          class={text.trim() ? 'ready' : ''}
          disabled={!text.trim() || sending}
          testid="chat-send"
          onClick={() => void send()}
        />
      </div>
    </form>
  );
}
