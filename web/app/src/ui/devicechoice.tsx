// Which camera, microphone and speaker: used before the call and during it.
import { useId } from 'preact/hooks';
import { type CheckKind, checkedDevice, devices, pick } from '../state/check';
import { chooseDevice, switching, used } from '../state/own';
import { settings } from '../state/settings';
import { CameraIcon, type Icon, MicIcon, SpeakerIcon } from './icons';

interface LineProps {
  icon: Icon;
  label: string;
  list: readonly MediaDeviceInfo[];
  /** The one that is open. */
  used?: string;
  chosen: string;
  /** What stands for a choice that nobody has made. */
  usual: string;
  busy?: boolean;
  none: string;
  testid: string;
  onChoose: (deviceId: string) => void;
}

function Line({ icon: I, label, list, used, chosen, usual, busy = false, none, testid, onChoose }: LineProps) {
  const id = useId();
  const known = list.filter((d) => d.deviceId !== '');
  const value = [used, chosen].find((id) => id && known.some((d) => d.deviceId === id)) ?? '';
  return (
    <div class="line">
      <I />
      <label class="unseen" for={id}>
        {label}
      </label>
      <select
        id={id}
        class="select"
        value={value}
        disabled={known.length === 0 || busy}
        data-testid={testid}
        onChange={(e) => onChoose(e.currentTarget.value)}
      >
        {value === '' && <option value="">{words(known.length, chosen, usual, none)}</option>}
        {known.map((d, i) => (
          <option key={d.deviceId} value={d.deviceId}>
            {d.label || `${label} ${i + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}

// While none of them is open or chosen, an entry says so: whatever is picked then is a change.
function words(known: number, chosen: string, usual: string, none: string): string {
  if (known === 0) return none;
  return chosen ? 'The chosen one is not plugged in' : usual;
}

/** In a call a choice takes effect at once; before it, on the check. */
export function DeviceChoice({ inCall = false }: { inCall?: boolean }) {
  const choose = (kind: CheckKind) => (deviceId: string) =>
    inCall ? void chooseDevice(kind, deviceId) : pick(kind, deviceId);
  const { cameras, microphones, speakers } = devices.value;
  const s = settings.value;
  return (
    <div class="devices">
      <Line
        icon={CameraIcon}
        label="Camera"
        list={cameras}
        used={inCall ? used.value.camera : checkedDevice('camera')}
        chosen={s.camera}
        usual="The browser’s choice"
        busy={inCall && switching.value.has('camera')}
        none="No camera known yet"
        testid="choose-camera"
        onChoose={choose('camera')}
      />
      <Line
        icon={MicIcon}
        label="Microphone"
        list={microphones}
        used={inCall ? used.value.microphone : checkedDevice('microphone')}
        chosen={s.microphone}
        usual="The browser’s choice"
        busy={inCall && switching.value.has('microphone')}
        none="No microphone known yet"
        testid="choose-microphone"
        onChoose={choose('microphone')}
      />
      <Line
        icon={SpeakerIcon}
        label="Speaker"
        list={speakers}
        chosen={s.speaker}
        usual="The system’s speaker"
        none="The system’s speaker"
        testid="choose-speaker"
        onChoose={(id) => void chooseDevice('speaker', id)}
      />
    </div>
  );
}
