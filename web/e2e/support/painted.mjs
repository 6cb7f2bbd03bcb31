// Runs in a guest's page: a camera that is a canvas, of any size.

/** Publishes one in place of the camera before. */
export function paint(room, [width, height]) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  window.canvas = canvas;
  const context = canvas.getContext('2d');
  let i = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${i++ % 360} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#fff';
    context.fillRect((i * 5) % canvas.width, 20, 60, 60);
  }, 33);
  return room.publish('camera', canvas.captureStream(30).getVideoTracks()[0]);
}

export function resize(_, [width, height]) {
  Object.assign(window.canvas, { width, height });
}
