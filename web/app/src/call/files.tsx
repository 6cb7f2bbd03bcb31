// The pile of file cards in the corner: offers to answer, progress, what arrived.
import {
  acceptFile,
  type Card,
  cancelFile,
  canTryAgain,
  cards,
  cardText,
  declineFile,
  dismissCard,
  folded,
  moving,
  saveFile,
  tryAgain,
} from '../state/transfers';
import { IconButton } from '../ui/button';
import { CheckIcon, CloseIcon, DownIcon, FileIcon, RetryIcon, SaveIcon, WarnIcon } from '../ui/icons';

export function Files() {
  const all = cards.value;
  if (all.length === 0) return null;
  if (folded.value) {
    return (
      <section class="files" aria-label="Files">
        <button
          type="button"
          class="button tight files-pill"
          onClick={() => {
            folded.value = false;
          }}
        >
          <FileIcon size={18} /> {all.length === 1 ? '1 file' : `${all.length} files`}
        </button>
      </section>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="files" aria-label="Files" tabIndex={0}>
      {all.length > 1 && (
        <button
          type="button"
          class="button tight files-pill"
          onClick={() => {
            folded.value = true;
          }}
        >
          <DownIcon size={18} /> Hide {all.length} files
        </button>
      )}
      {all.map((c) => (
        <FileCard key={c.id} card={c} />
      ))}
    </section>
  );
}

function FileCard({ card: c }: { card: Card }) {
  const text = cardText(c);
  const final = c.state !== 'offered' && !moving(c.state);
  return (
    <article class="file" data-testid="file" data-state={c.state} data-name={c.name} aria-label={c.name}>
      <div class="file-head">
        <Sign card={c} />
        <div class="file-what">
          <div class="file-name" title={c.name}>
            {c.name}
          </div>
          <div class={`small ${text.tone === 'plain' ? 'quiet' : text.tone}`}>{text.line}</div>
        </div>
        {final && (
          <IconButton icon={CloseIcon} label={`Dismiss ${c.name}`} size={18} onClick={() => dismissCard(c.id)} />
        )}
      </div>
      {text.progress !== undefined && <progress max={1} value={text.progress} aria-label={`Progress of ${c.name}`} />}
      {moving(c.state) && (
        <div class="file-figures number">
          <span>{text.figures}</span>
        </div>
      )}
      <Actions card={c} />
    </article>
  );
}

function Sign({ card: c }: { card: Card }) {
  if (c.state === 'done')
    return (
      <span class="done">
        <CheckIcon />
      </span>
    );
  if (c.state === 'failed')
    return (
      <span class="failed">
        <WarnIcon />
      </span>
    );
  return <FileIcon />;
}

function Actions({ card: c }: { card: Card }) {
  if (c.state === 'offered' && c.incoming) {
    return (
      <div class="row">
        <button type="button" class="button tight" data-testid="decline" onClick={() => declineFile(c.id)}>
          Decline
        </button>
        <button type="button" class="button primary tight" data-testid="accept" onClick={() => acceptFile(c.id)}>
          Accept
        </button>
      </div>
    );
  }
  if (c.state === 'offered' || moving(c.state)) {
    return (
      <div class="row">
        <button type="button" class="button tight" data-testid="cancel" onClick={() => cancelFile(c.id)}>
          Cancel
        </button>
      </div>
    );
  }
  if (c.state === 'done' && c.incoming && c.savable) {
    return (
      <div class="row">
        <button type="button" class="button primary tight" data-testid="save" onClick={() => saveFile(c.id)}>
          <SaveIcon size={18} /> Save
        </button>
      </div>
    );
  }
  if (canTryAgain(c)) {
    return (
      <div class="row">
        <button type="button" class="button tight" data-testid="again" onClick={() => tryAgain(c.id)}>
          <RetryIcon size={18} /> Try again
        </button>
      </div>
    );
  }
  return null;
}
