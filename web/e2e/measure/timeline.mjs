// The time line of a join, as the page sees it: when each step was through.

/** Runs in the page before anything else, after what keeps its connections: notes when each step of a join is through. */
export function installTimeline() {
  const marks = (window.marks = {});
  const mark = (name) => (marks[name] ??= performance.now());
  const through = (object, method, name) => {
    const native = object[method];
    object[method] = function (...args) {
      mark(`${name} asked`);
      const result = native.apply(this, args);
      result.then(
        () => mark(name),
        () => {},
      );
      return result;
    };
  };
  through(window, 'fetch', 'slot hint');
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      mark('socket asked');
      super(...args);
      this.addEventListener('open', () => mark('socket open'));
      this.addEventListener('message', (event) => String(event.data).includes('"welcome"') && mark('welcome'));
    }
    send(data) {
      if (String(data).includes('"join"')) mark('join sent');
      if (String(data).includes('"subscribe"')) mark('subscribe sent');
      super.send(data);
    }
  };
  const Connection = window.RTCPeerConnection;
  through(Connection.prototype, 'createOffer', 'offer made');
  through(Connection.prototype, 'setLocalDescription', 'offer set');
  through(Connection.prototype, 'setRemoteDescription', 'answer set');
  window.RTCPeerConnection = class extends Connection {
    constructor(...args) {
      mark('connection asked');
      super(...args);
      mark('connection made');
      this.addEventListener('iceconnectionstatechange', () => mark(`ice ${this.iceConnectionState}`));
      this.addEventListener('connectionstatechange', () => mark(`media ${this.connectionState}`));
      this.addEventListener('track', ({ track }) => {
        track.addEventListener('unmute', () => mark(`first ${track.kind} packet`));
      });
    }
  };
  const callback = HTMLVideoElement.prototype.requestVideoFrameCallback;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (f) {
    return callback.call(this, (now, frame) => {
      marks['frame received'] ??= frame.receiveTime;
      marks['frame shown'] ??= now;
      f(now, frame);
    });
  };
}

const steps = ['socket open', 'join sent', 'welcome', 'answer set', 'ice connected', 'media connected'];

/** The steps in ms from the call of Room.connect; `first`: when the first frame was shown, by the same clock. */
export function timelineOf(marks, first) {
  const from = marks['frame shown'] - first;
  const of = (name) => marks[name] && marks[name] - from;
  const line = Object.fromEntries(steps.map((name) => [name, of(name)]));
  line['first packet of video'] = of('first video packet');
  return line;
}
