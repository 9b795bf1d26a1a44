import { randomBytes, randomInt } from 'node:crypto';
import { child, node, stamp, type BinaryNode } from './node.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';

/** A call as the phone that makes it sees it. */
export interface PhoneCall {
  readonly id: string;
  /** Number of the account that is called. */
  readonly to: string;
  readonly video: boolean;
  state: CallState;
}

export type CallState = 'ringing' | 'rejected' | 'accepted' | 'timeout' | 'ended';

/** Phones that call: the linked devices of the other one are told, and may refuse. Nobody can talk here. */
export class Calls {
  readonly #world: World;
  readonly #enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
  /** The calls by the number of the caller. */
  readonly #made = new Map<string, PhoneCall[]>();

  constructor(world: World, enqueue: (device: LinkedDevice, stanza: BinaryNode) => void) {
    this.#world = world;
    this.#enqueue = enqueue;
  }

  /** A phone calls another account. Returns the id of the call. */
  call(caller: Account, to: Account, video: boolean): string {
    const id = randomBytes(16).toString('hex').toUpperCase();
    this.#made.set(caller.number, [...this.made(caller), { id, to: to.number, video, state: 'ringing' }]);
    const from = jidOf(caller, 0, 'lid');
    const offer = node('offer', { 'call-id': id, 'call-creator': from, caller_pn: jidOf(caller, 0, WHATSAPP) }, [
      node('audio', { enc: 'opus', rate: '16000' }),
      ...(video ? [node('video', { enc: 'vp8' })] : []),
    ]);
    for (const device of to.devices.values()) {
      this.#enqueue(device, node('call', { from, id: String(randomInt(1e9, 1e10)), t: stamp() }, [offer]));
    }
    return id;
  }

  /**
   * What becomes of a call: its caller hangs up, or gives up after it rang for long; or the called phone accepts or refuses
   * it. The other linked devices of the called account are told. That they are told so is believed, and never verified.
   */
  end(caller: Account, id: string, state: Exclude<CallState, 'ringing'>): boolean {
    const call = this.made(caller).find((made) => made.id === id);
    const called = call && this.#world.accounts.get(call.to);
    if (call === undefined || called === undefined) return false;
    call.state = state;
    const creator = jidOf(caller, 0, 'lid');
    const isOfCalled = state === 'accepted' || state === 'rejected';
    const from = isOfCalled ? jidOf(called, 0, 'lid') : creator;
    const attrs = { 'call-id': id, 'call-creator': creator, ...(state === 'timeout' ? { reason: 'timeout' } : {}) };
    const said = node(isOfCalled ? state.slice(0, -2) : 'terminate', attrs);
    for (const device of called.devices.values()) {
      this.#enqueue(device, node('call', { from, id: String(randomInt(1e9, 1e10)), t: stamp() }, [said]));
    }
    return true;
  }

  made({ number }: Account): readonly PhoneCall[] {
    return this.#made.get(number) ?? [];
  }

  /** A linked device says something about a call. Returns the ack. */
  accept(device: LinkedDevice, stanza: BinaryNode): BinaryNode {
    const rejected = child(stanza, 'reject')?.attrs;
    const caller = findAddress(this.#world, rejected?.['call-creator'])?.account;
    const made = caller === undefined ? [] : this.made(caller);
    const call = made.find(({ id, to }) => id === rejected?.['call-id'] && to === device.number);
    if (call !== undefined) call.state = 'rejected';
    return node('ack', { class: 'call', id: stanza.attrs['id'] ?? '', from: WHATSAPP, type: 'reject' });
  }
}

/** A post in a newsletter that the account follows: not sealed, and given to its linked devices alone. */
export function newsletterPost(newsletter: string, id: string, message: Uint8Array, mediaType?: string): BinaryNode {
  const type = mediaType === undefined ? 'text' : 'media';
  const attrs = { from: newsletter, id, server_id: String(randomInt(100, 1_000)), t: stamp(), type };
  return node('message', attrs, [node('plaintext', mediaType === undefined ? {} : { mediatype: mediaType }, message)]);
}
