// What the check before the call and the waiting page share: the microphone's level, and what is wrong with devices.
import { type CheckKind, camera, mayCapture, microphone, want } from '../state/check';
import { problemOfDevice } from '../state/notices';
import { type Problem, problem } from '../text/problems';
import { MicIcon, MicOffIcon } from '../ui/icons';
import { ProblemNote } from '../ui/note';
import { Meter } from './preview';

/** Whether the microphone hears something; the line keeps its height when it is off. */
export function Listening() {
  const { track, wanted } = microphone.value;
  const I = wanted ? MicIcon : MicOffIcon;
  return (
    <div class="listening quiet">
      <I size={20} />
      {track ? (
        <Meter track={track} />
      ) : (
        <span class="small">{wanted ? 'Starting the microphone…' : 'Your microphone is off'}</span>
      )}
    </div>
  );
}

export function DeviceProblems() {
  if (!mayCapture()) return <ProblemNote problem={problem('insecure_page')} testid="problem-page" />;
  const mic = microphone.value;
  const cam = camera.value;
  if (mic.problem && mic.code === cam.code && (mic.code === 'permission_denied' || mic.code === 'no_device')) {
    const both = problemOfDevice({ code: mic.code }, 'camera or microphone');
    return <DeviceNote problem={both} kinds={['microphone', 'camera']} />;
  }
  return (
    <>
      {mic.problem && <DeviceNote problem={mic.problem} kinds={['microphone']} />}
      {cam.problem && <DeviceNote problem={cam.problem} kinds={['camera']} />}
    </>
  );
}

function DeviceNote({ problem: p, kinds }: { problem: Problem; kinds: CheckKind[] }) {
  return (
    <ProblemNote problem={p} testid={`problem-${kinds[0]}`}>
      <button type="button" class="button tight" onClick={() => kinds.map((kind) => want(kind, true))}>
        Try again
      </button>
    </ProblemNote>
  );
}
