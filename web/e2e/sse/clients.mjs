// Three SSE clients that nobody here wrote, each feeding a View. Each returns a function that stops it.
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSource } from 'eventsource';
import launchdarkly from 'launchdarkly-eventsource';
import { types } from './view.mjs';

function listen(source, view) {
  for (const type of types) source.addEventListener(type, (e) => view.take(type, e.lastEventId, e.data));
  source.addEventListener('error', () => {}); // it reconnects by itself; a source that gave up shows in its view
  return () => source.close();
}

/** As the HTML standard says: it gives up for good on any answer but 200. */
const standard = (url, view) => listen(new EventSource(url), view);

const byLaunchDarkly = (url, view) =>
  listen(new launchdarkly.EventSource(url, { errorFilter: () => true, initialRetryDelayMillis: 200 }), view);

/** Made for pages: in Node it is given the little of one that it asks for. */
function byMicrosoft(url, view) {
  globalThis.window ??= globalThis;
  globalThis.document ??= { hidden: false, addEventListener() {}, removeEventListener() {} };
  const abort = new AbortController();
  const done = fetchEventSource(url, {
    signal: abort.signal,
    onmessage: (e) => e.event && view.take(e.event, e.id, e.data),
    onclose() {
      throw new Error('closed'); // its way to say: reconnect
    },
    onerror: () => undefined, // after the time that the server named
  });
  return () => {
    abort.abort();
    return done;
  };
}

export const clients = {
  eventsource: standard,
  'launchdarkly-eventsource': byLaunchDarkly,
  '@microsoft/fetch-event-source': byMicrosoft,
};
