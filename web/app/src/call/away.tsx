// Since when somebody cannot be reached.
import { awayLine } from '../text/format';
import { useNow } from '../ui/now';

export function Away({ since }: { since: number }) {
  return <span data-testid="away">{awayLine((useNow() - since) / 1000, new Date())}</span>;
}
