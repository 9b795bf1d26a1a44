import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { guardFrames, type PendingSaves, type RawSocket } from '../../../worker/socket/frameGate.ts';
import { makeSwitchGate, type SwitchGate } from '../fleet/gates.ts';

class FakeRaw extends EventEmitter implements RawSocket {
  readonly sent: unknown[] = [];
  readonly reading: string[] = [];
  send = (data: unknown): void => void this.sent.push(data);
  pause = (): void => void this.reading.push('pause');
  resume = (): void => void this.reading.push('resume');
}

/** Saves that a test begins and ends. */
class HandSaves implements PendingSaves {
  #pending: PromiseWithResolvers<void> | undefined;
  begin(): void {
    this.#pending = Promise.withResolvers();
  }
  succeed(): void {
    this.#pending?.resolve();
    this.#pending = undefined;
  }
  fail(): void {
    this.#pending?.reject(new Error('not saved'));
  }
  isSettled = (): boolean => this.#pending === undefined;
  settled = async (): Promise<void> => this.#pending?.promise;
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('the gate on the frames of a socket', () => {
  let raw: FakeRaw;
  let gate: SwitchGate;
  let saves: HandSaves;
  let read: unknown[];
  beforeEach(() => {
    raw = new FakeRaw();
    gate = makeSwitchGate();
    read = [];
    raw.on('message', (frame: unknown) => void read.push(frame));
    saves = new HandSaves();
    guardFrames(raw, gate, saves);
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
    guardFrames(other, fenced, saves);
    fenced.fence();
    other.send('too late');
    await settled();
    other.send('later still');

    expect(read).toEqual([]);
    expect(other.sent).toEqual([]);
  });

  it('holds what goes out while credentials are being saved, and only that', async () => {
    raw.send('before');
    saves.begin();
    for (const frame of ['after 1', 'after 2']) raw.send(frame);
    raw.emit('message', 'in');
    await settled();
    const held = [[...raw.sent], [...read]];

    saves.succeed();
    await settled();
    raw.send('later');

    expect(held).toEqual([['before'], ['in']]);
    expect(raw.sent).toEqual(['before', 'after 1', 'after 2', 'later']);
    expect(raw.reading).toEqual([]);
  });

  it('goes on holding for a save that begins while another is waited for', async () => {
    saves.begin();
    raw.send('held');
    saves.succeed();
    saves.begin();
    await settled();
    const held = [...raw.sent];

    saves.succeed();
    await settled();

    expect(held).toEqual([]);
    expect(raw.sent).toEqual(['held']);
  });

  it('lets nothing out any more when credentials could not be saved', async () => {
    saves.begin();
    raw.send('follows from what was not saved');
    saves.fail();
    await settled();
    saves.succeed();
    raw.send('too late');
    await settled();

    expect(raw.sent).toEqual([]);
  });
});
