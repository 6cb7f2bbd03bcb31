// Pictures for the invented people: canvases as video tracks.

function draw(width: number, height: number, paint: (c: CanvasRenderingContext2D) => void): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const c = canvas.getContext('2d') as CanvasRenderingContext2D;
  const repaint = () => paint(c);
  repaint();
  setInterval(repaint, 500);
  return canvas.captureStream(4).getVideoTracks()[0] as MediaStreamTrack;
}

/** A head and shoulders before a wall, in colours of the person's own. */
export function picture(n: number): MediaStreamTrack {
  const hue = (n * 67) % 360;
  return draw(640, 360, (c) => {
    c.fillStyle = `hsl(${hue} 25% ${55 + (n % 3) * 8}%)`;
    c.fillRect(0, 0, 640, 360);
    c.fillStyle = `hsl(${hue} 30% 45%)`;
    c.fillRect(40 + (n % 4) * 30, 40, 120, 90);
    c.fillStyle = `hsl(${(hue + 180) % 360} 45% 35%)`;
    c.beginPath();
    c.ellipse(320, 380, 150, 130, 0, 0, 7);
    c.fill();
    c.fillStyle = `hsl(${20 + (n % 5) * 4} 45% ${40 + (n % 5) * 9}%)`;
    c.beginPath();
    c.ellipse(320, 190, 68, 86, 0, 0, 7);
    c.fill();
  });
}

/** A page of text, as somebody might share it. */
export function screenPicture(): MediaStreamTrack {
  return draw(1280, 800, (c) => {
    c.fillStyle = '#fdfdfb';
    c.fillRect(0, 0, 1280, 800);
    c.fillStyle = '#334';
    c.font = '600 44px sans-serif';
    c.fillText('Release plan', 80, 110);
    c.font = '26px sans-serif';
    for (let i = 0; i < 14; i++)
      c.fillText(`${i + 1}. A line of the shared document, to see how readable it stays`, 80, 180 + i * 42);
  });
}
