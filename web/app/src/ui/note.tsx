// A problem in words, with what to do about it.
import type { ComponentChildren } from 'preact';
import type { Problem } from '../text/problems';
import { WarnIcon } from './icons';

export function ProblemNote({
  problem,
  testid,
  children,
}: {
  problem: Problem;
  testid?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="note" role="status" data-testid={testid}>
      <WarnIcon size={20} />
      <div>
        <strong>{problem.title}</strong>
        {problem.advice}
        {children && <div class="row">{children}</div>}
      </div>
    </div>
  );
}
