import type { Changes } from './changes.ts';
import type { Group } from './group.ts';
import type { Account, AheadMessage, LinkedDevice, PendingStanza } from './world.ts';

/** What is noted of the server's own records when they change; phones note theirs. */
interface Noting {
  readonly changes: Changes;
}

export function noteAccount({ changes }: Noting, account: Account): void {
  const { number, lid, name } = account;
  changes.note(`account/${number}`, () => ({ number, lid, name, nextDevice: account.nextDevice }));
}

/** A linked device is new, gone or changed, apart from its one-time pre-keys and from what waits for it. */
export function noteDevice({ changes }: Noting, account: Account, device: LinkedDevice): void {
  changes.note(`device/${device.number}/${device.id}`, () => {
    if (account.devices.get(device.id) !== device) return undefined;
    const { preKeys: _preKeys, pending: _pending, ...rest } = device;
    return rest;
  });
}

export function notePreKeys({ changes }: Noting, device: LinkedDevice): void {
  changes.note(`preKeys/${device.number}/${device.id}`, () => device.preKeys);
}

/** A stanza waits for a device, or waits no longer. */
export function notePending(
  { changes }: Noting,
  device: LinkedDevice,
  pending: PendingStanza,
  isWaiting: boolean,
): void {
  const key = `pending/${device.number}/${device.id}/${pending.place}`;
  changes.note(key, () => (isWaiting ? pending.stanza : undefined));
}

/** A message was encrypted ahead, or is sent now. */
export function noteAhead({ changes }: Noting, account: Account, message: AheadMessage, isHeld: boolean): void {
  changes.note(`ahead/${account.number}/${message.id}`, () => (isHeld ? message : undefined));
}

export function noteGroup({ changes }: Noting, group: Group): void {
  changes.note(`group/${group.id}`, () => group);
}

export function noteAppState({ changes }: Noting, { number, appState }: Pick<Account, 'number' | 'appState'>): void {
  changes.note(`appState/${number}`, () => appState.record);
}
