// Which camera, microphone and speaker: used before the call and during it.
import { useId } from 'preact/hooks';
import { type CheckKind, devices, pick } from '../state/check';
import { chooseDevice } from '../state/own';
import { settings } from '../state/settings';
import { CameraIcon, type Icon, MicIcon, SpeakerIcon } from './icons';

interface LineProps {
  icon: Icon;
  label: string;
  list: readonly MediaDeviceInfo[];
  chosen: string;
  none: string;
  testid: string;
  onChoose: (deviceId: string) => void;
}

function Line({ icon: I, label, list, chosen, none, testid, onChoose }: LineProps) {
  const id = useId();
  const known = list.filter((d) => d.deviceId !== '');
  const value = known.some((d) => d.deviceId === chosen) ? chosen : (known[0]?.deviceId ?? '');
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
        disabled={known.length === 0}
        data-testid={testid}
        onChange={(e) => onChoose(e.currentTarget.value)}
      >
        {known.length === 0 && <option value="">{none}</option>}
        {known.map((d, i) => (
          <option key={d.deviceId} value={d.deviceId}>
            {d.label || `${label} ${i + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
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
        chosen={s.camera}
        none="No camera known yet"
        testid="choose-camera"
        onChoose={choose('camera')}
      />
      <Line
        icon={MicIcon}
        label="Microphone"
        list={microphones}
        chosen={s.microphone}
        none="No microphone known yet"
        testid="choose-microphone"
        onChoose={choose('microphone')}
      />
      <Line
        icon={SpeakerIcon}
        label="Speaker"
        list={speakers}
        chosen={s.speaker}
        none="The system's speaker"
        testid="choose-speaker"
        onChoose={(id) => void chooseDevice('speaker', id)}
      />
    </div>
  );
}
