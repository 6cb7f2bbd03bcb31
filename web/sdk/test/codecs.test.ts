import { describe, expect, it } from 'vitest';
import { fallback, prefer } from '../src/codecs';
import { codecWish, readCodecWish } from '../src/codecwish';
import type { Json } from '../src/protocol';
import { addSender, plan } from '../src/sending';

const ANSWER = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=rtpmap:111 opus/48000/2',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 45 46',
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=rtpmap:98 VP9/90000',
  'a=rtpmap:99 rtx/90000',
  'a=rtpmap:45 AV1/90000',
  'a=rtpmap:46 rtx/90000',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=mid:11',
  'a=rtpmap:96 VP8/90000',
  '',
].join('\r\n');

describe('prefer', () => {
  it('puts the codec first in that section alone', () => {
    expect(prefer(ANSWER, '1', 'AV1')).toBe(ANSWER.replace('96 97 98 99 45 46', '45 96 97 98 99 46'));
    expect(prefer(ANSWER, '1', 'VP8')).toBe(ANSWER);
  });

  it('puts redundant sound first', () => {
    const answer =
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n';
    expect(prefer(answer, '0', 'RED')).toBe(answer.replace('111 63', '63 111'));
  });

  it('leaves an answer alone that has not the codec or the section', () => {
    for (const [mid, codec] of [
      ['1', 'H264'],
      ['11', 'VP9'],
      ['7', 'VP9'],
      [undefined, 'VP9'],
      ['0', 'VP9'],
    ] as const) {
      expect(prefer(ANSWER, mid, codec)).toBe(ANSWER);
    }
  });
});

describe('fallback', () => {
  it('is a codec that both have, and every browser', () => {
    expect(fallback(['VP8', 'VP9', 'AV1', 'H264'], ['VP9', 'H264', 'VP8'])).toBe('VP8');
    expect(fallback(['VP8', 'H264'], ['H264'])).toBe('H264');
    expect(fallback(['VP8', 'VP9'], ['VP9'])).toBeUndefined();
    expect(fallback(['VP8'], [null, 7, 'nonsense'])).toBeUndefined();
  });

  it('is asked for by a message that nobody else reads', () => {
    expect(readCodecWish(codecWish(['VP8']))).toEqual(['VP8']);
    const others: Json[] = [null, 'x', [], {}, { app: 'parley.codec' }, { app: 'other', decodes: ['VP8'] }];
    for (const data of others) {
      expect(readCodecWish(data)).toBeUndefined();
    }
  });
});

describe('plan', () => {
  const can = () => true;
  const cannot = () => false;

  it('is VP8 in three sizes unless something else is wanted and possible', () => {
    expect(plan('auto', 'auto', ['VP8', 'VP9'], can)).toMatchObject({ codec: 'VP8' });
    expect(plan('av1', 'auto', ['VP8', 'VP9'], can)).toMatchObject({ codec: 'VP8' });
    expect(plan('auto', 'svc', ['VP8'], can).camera.map((e) => e.rid)).toEqual(['q', 'h', 'f']);
    expect(plan('h264', 'auto', ['VP8', 'H264'], can)).toMatchObject({ codec: 'H264' });
  });

  it('puts the sizes of VP9 and AV1 into one stream where the browser can', () => {
    expect(plan('vp9', 'auto', ['VP8', 'VP9'], can).camera).toMatchObject([{ scalabilityMode: 'L3T3_KEY' }]);
    expect(plan('vp9', 'simulcast', ['VP8', 'VP9'], can).camera).toHaveLength(3);
    expect(plan('vp9', 'auto', ['VP8', 'VP9'], cannot).camera).toHaveLength(3);
  });
});

describe('addSender', () => {
  it('does without scalability modes where the browser refuses them', () => {
    const calls: RTCRtpTransceiverInit[] = [];
    const pc = {
      addTransceiver: (_: string, init: RTCRtpTransceiverInit) => {
        calls.push(init);
        if (init.sendEncodings?.some((e) => 'scalabilityMode' in e)) throw new DOMException('no', 'OperationError');
      },
    } as unknown as RTCPeerConnection;
    addSender(pc, plan('auto', 'auto', ['VP8']).camera);
    expect(calls).toHaveLength(2);
    expect(calls[1]?.sendEncodings?.map((e) => e.rid)).toEqual(['q', 'h', 'f']);
  });
});
