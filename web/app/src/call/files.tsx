// The pile of file cards in the corner: offers to answer, progress, what arrived. What was sent together is one card.
import {
  type Card,
  type CardText,
  cardText,
  ended,
  moving,
  type Pile,
  pileText,
  rowText,
  sameFile,
} from '../state/cards';
import {
  acceptFile,
  cancelFiles,
  canTryAgain,
  cards,
  declineFile,
  dismissCards,
  folded,
  pileList,
  saveFiles,
  tryAgain,
} from '../state/transfers';
import { bytes } from '../text/format';
import { IconButton } from '../ui/button';
import { CheckIcon, CloseIcon, DownIcon, FileIcon, RetryIcon, SaveIcon, WarnIcon } from '../ui/icons';

export function Files() {
  const all = pileList.value;
  const count = cards.value.length;
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
          <FileIcon size={18} /> {count === 1 ? '1 file' : `${count} files`}
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
          <DownIcon size={18} /> Hide {count} files
        </button>
      )}
      {all.map((p) => (p.count === 1 ? <FileCard key={p.key} pile={p} /> : <PileCard key={p.key} pile={p} />))}
    </section>
  );
}

function FileCard({ pile }: { pile: Pile }) {
  const [c] = pile.cards;
  if (!c) return null;
  return (
    <article class="file" data-testid="file" data-state={c.state} data-name={c.name} aria-label={c.name}>
      <Face pile={pile} text={cardText(c)} />
      <Actions pile={pile} />
    </article>
  );
}

function PileCard({ pile }: { pile: Pile }) {
  const text = pileText(pile);
  return (
    <article class="file" data-testid="batch" aria-label={text.title}>
      <Face pile={pile} text={text} />
      <details class="pile">
        <summary>
          Each of them <DownIcon size={16} />
        </summary>
        <ul>
          {pile.cards.map((c) => (
            <Row key={c.id} card={c} name={sameFile(pile.cards) ? c.who : c.name} />
          ))}
        </ul>
      </details>
      <Actions pile={pile} />
    </article>
  );
}

// What every card has: a sign, a name, how it goes, and a way to put it away once it is over.
function Face({ pile, text }: { pile: Pile; text: CardText }) {
  const ids = pile.cards.map((c) => c.id);
  return (
    <>
      <div class="file-head">
        <Sign tone={text.tone} />
        <div class="file-what">
          <div class="file-name" title={text.title}>
            {text.title}
          </div>
          <div class={`small ${text.tone === 'plain' ? 'quiet' : text.tone}`} data-testid="file-line">
            {text.line}
          </div>
        </div>
        {pile.cards.every((c) => ended(c.state)) && (
          <IconButton icon={CloseIcon} label={`Dismiss ${text.title}`} size={18} onClick={() => dismissCards(ids)} />
        )}
      </div>
      {text.progress !== undefined && (
        <progress max={1} value={text.progress} aria-label={`Progress of ${text.title}`} />
      )}
      {pile.cards.some((c) => moving(c.state)) && (
        <div class="file-figures number">
          <span>{text.figures}</span>
        </div>
      )}
    </>
  );
}

function Sign({ tone }: { tone: CardText['tone'] }) {
  if (tone === 'done')
    return (
      <span class="done">
        <CheckIcon />
      </span>
    );
  if (tone === 'failed')
    return (
      <span class="failed">
        <WarnIcon />
      </span>
    );
  return <FileIcon />;
}

function Row({ card: c, name }: { card: Card; name: string }) {
  return (
    <li data-testid="file" data-state={c.state} data-name={c.name} title={cardText(c).line}>
      <span class="row-name">{name}</span>
      <span class={`small number ${c.state === 'failed' || c.state === 'rejected' ? 'failed' : 'quiet'}`}>
        {rowText(c)}
      </span>
      {c.savable && (
        <IconButton
          icon={SaveIcon}
          label={`Save ${c.name}`}
          size={18}
          class="tight"
          onClick={() => void saveFiles([c.id])}
        />
      )}
    </li>
  );
}

function Actions({ pile }: { pile: Pile }) {
  const { cards: all } = pile;
  const [first] = all;
  const open = all.filter((c) => !ended(c.state));
  const asks = open.find((c) => c.incoming && c.state === 'offered');
  if (asks && first) {
    const many = pile.count > 1;
    return (
      <div class="row">
        <button type="button" class="button tight" data-testid="decline" onClick={() => declineFile(asks.id)}>
          {many ? 'Decline all' : 'Decline'}
        </button>
        <button type="button" class="button primary tight" data-testid="accept" onClick={() => acceptFile(asks.id)}>
          {many ? 'Accept all' : 'Accept'}
        </button>
      </div>
    );
  }
  if (open.length > 0) {
    return (
      <div class="row">
        <button
          type="button"
          class="button tight"
          data-testid="cancel"
          onClick={() => cancelFiles(open.map((c) => c.id))}
        >
          {open.length > 1 ? `Cancel ${open.length === all.length ? 'all' : `the other ${open.length}`}` : 'Cancel'}
        </button>
      </div>
    );
  }
  return <After pile={pile} />;
}

// What can be done once nothing moves: save what came, send again what did not get through.
function After({ pile }: { pile: Pile }) {
  const savable = pile.cards.filter((c) => c.state === 'done' && c.incoming && c.savable);
  const again = pile.cards.filter(canTryAgain);
  if (savable.length > 0) {
    const size = bytes(savable.reduce((sum, c) => sum + c.size, 0));
    return (
      <div class="row">
        <button
          type="button"
          class="button primary tight"
          data-testid="save"
          onClick={() => void saveFiles(savable.map((c) => c.id))}
        >
          <SaveIcon size={18} /> {savable.length > 1 ? `Save ${savable.length} files, ${size}` : 'Save'}
        </button>
      </div>
    );
  }
  if (again.length === 0) return null;
  return (
    <div class="row">
      <button type="button" class="button tight" data-testid="again" onClick={() => tryAgain(again.map((c) => c.id))}>
        <RetryIcon size={18} /> {again.length > 1 ? `Try these ${again.length} again` : 'Try again'}
      </button>
    </div>
  );
}
