// People who come and go over the WebSocket, without media: they make the events that watchers are to see.
import WebSocket from 'ws';

/** Joins a room and resolves to {id, leave()}. */
export async function join(url, room, name) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/rooms/${room}/ws`, 'parley.v1', { origin: url });
  const closed = new Promise((r) => socket.once('close', r));
  const welcome = await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'join', id: 1, identity: name, name })));
    socket.once('message', (data) => resolve(JSON.parse(data)));
  });
  if (welcome.type !== 'welcome') throw new Error(`not let in: ${JSON.stringify(welcome)}`);
  const ping = setInterval(() => socket.send('{"type":"ping"}'), 3000);
  socket.once('close', () => clearInterval(ping));
  return {
    id: welcome.participant,
    leave() {
      socket.send('{"type":"leave"}');
      return closed;
    },
  };
}
