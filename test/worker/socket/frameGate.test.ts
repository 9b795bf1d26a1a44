import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { guardFrames, type RawSocket } from '../../../worker/socket/frameGate.ts';
import { makeSwitchGate, type SwitchGate } from '../fleet/gates.ts';

class FakeRaw extends EventEmitter implements RawSocket {
  readonly sent: unknown[] = [];
  readonly reading: string[] = [];
  send = (data: unknown): void => void this.sent.push(data);
  pause = (): void => void this.reading.push('pause');
  resume = (): void => void this.reading.push('resume');
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('the gate on the frames of a socket', () => {
  let raw: FakeRaw;
  let gate: SwitchGate;
  let read: unknown[];
  beforeEach(() => {
    raw = new FakeRaw();
    gate = makeSwitchGate();
    read = [];
    raw.on('message', (frame: unknown) => void read.push(frame));
    guardFrames(raw, gate);
  });

  it('lets frames through at once while it is open', () => {
    raw.emit('message', 'in');
    raw.send('out');

    expect([read, raw.sent, raw.reading]).toEqual([['in'], ['out'], []]);
  });

  it('holds both directions while it is closed, stops reading, and lets all through in order when it opens', async () => {
    gate.close();
    for (const frame of ['in 1', 'in 2']) raw.emit('message', frame);
    for (const frame of ['out 1', 'out 2']) raw.send(frame);
    await settled();
    const held = [[...read], [...raw.sent], [...raw.reading]];

    gate.open();
    await settled();
    raw.emit('message', 'in 3');

    expect(held).toEqual([[], [], ['pause']]);
    expect(read).toEqual(['in 1', 'in 2', 'in 3']);
    expect(raw.sent).toEqual(['out 1', 'out 2']);
    expect(raw.reading).toEqual(['pause', 'resume']);
  });

  it('never lets a frame overtake one that is held', () => {
    gate.close();
    raw.emit('message', 'first');
    gate.open();
    raw.emit('message', 'second');

    expect(read).toEqual([]);
  });

  it('drops what is held when the socket closes, and everything once the worker is fenced', async () => {
    gate.close();
    raw.emit('message', 'held');
    raw.emit('close');
    gate.open();
    await settled();
    const other = new FakeRaw();
    const fenced = makeSwitchGate();
    guardFrames(other, fenced);
    fenced.fence();
    other.send('too late');
    await settled();
    other.send('later still');

    expect(read).toEqual([]);
    expect(other.sent).toEqual([]);
  });
});
