import { ParleyError, serverError } from './errors';
import type { FeedReader } from './feedreader';

/**
 * The typed error in an HTTP answer that is not a 2xx. Server trouble and too many requests may be tried again, and so may what is not
 * our server's own answer: a proxy speaks in its name while it is away.
 */
export async function refusal(response: Response): Promise<ParleyError> {
  const body = (await response.json().catch(() => undefined)) as
    | { error?: { code?: unknown; message?: unknown; retry_ms?: unknown } }
    | undefined;
  if (typeof body?.error?.code !== 'string') return new ParleyError('unreachable', undefined, true);
  const again = response.status >= 500 || response.status === 429 || response.status === 408;
  const error = serverError(body.error);
  return new ParleyError(error.code, error.message, again, error.retryMs);
}

/** Asks why an EventSource was refused, which it does not tell. Undefined: it would be served now. */
export async function whyRefused(
  reader: FeedReader,
  token: string | undefined,
  signal: AbortSignal,
): Promise<ParleyError | undefined> {
  try {
    const url = new URL(reader.url);
    url.searchParams.set('wait', '0s');
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(url, { headers, signal, cache: 'no-store' });
    return response.ok ? undefined : await refusal(response);
  } catch {
    return new ParleyError('unreachable', undefined, true);
  }
}
