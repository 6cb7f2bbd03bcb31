import { ParleyError } from '../errors';

/** Why a file cannot be read, if it cannot: browsers hand over folders, and files that are gone, without a word. */
export async function unreadable(file: Blob): Promise<ParleyError | undefined> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return undefined;
  } catch (error) {
    return readError(error);
  }
}

/** Names what reading a file failed with. */
export function readError(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  const gone = error instanceof Error && error.name === 'NotFoundError';
  return new ParleyError(gone ? 'file_gone' : 'file_unreadable', undefined, false, undefined, { cause: error });
}
