import { proto } from '@whiskeysockets/baileys';
import { z } from 'zod';
import { spoiltParts } from './appStatePhone.ts';
import { COLLECTIONS } from './appStateServer.ts';
import type { Simulated } from './simulated.ts';
import type { Account, LinkedDevice } from './world.ts';

/** Routes of the control API for the state that the devices of an account share. */
type Handler = (simulator: Simulated, parameters: readonly string[], body: unknown) => unknown;
type Route = readonly [method: string, path: RegExp, handler: Handler];
type Find = (simulator: Simulated, digits: string | undefined) => Account;
type FindDevice = (account: Account, id: string | undefined) => LinkedDevice;

const change = z.strictObject({
  /** A list, as apps write it, or any text. */
  index: z.union([z.array(z.string()).min(1), z.string()]),
  value: z.record(z.string(), z.unknown()).default({}),
  operation: z.enum(['set', 'remove']).default('set'),
});
const changeSchema = z.union(
  [
    z.strictObject({
      collection: z.string().min(1),
      changes: z.array(change).min(1).max(5_000),
      spoil: z.enum(spoiltParts).optional(),
      unsharedKey: z.boolean().default(false),
      external: z.boolean().default(false),
    }),
    z.strictObject({ collection: z.enum(COLLECTIONS), bytes: z.base64() }),
  ],
  'must be {collection, changes: [{index, value?, operation?}], spoil?, unsharedKey?, external?}, or {collection, bytes}',
);
export type AppStateBody = z.input<typeof changeSchema>;

export function makeAppStateRoutes(find: Find, findDevice: FindDevice): readonly Route[] {
  return [
    [
      'POST',
      /^\/phones\/(\d+)\/devices\/(\d+)\/app-state-keys$/,
      async (simulator, [digits, id]) => {
        const account = find(simulator, digits);
        const { keyId, keyData } = await simulator.phones.shareAppStateKey(account, findDevice(account, id));
        return { keyId: keyId.toString('base64'), keyData: keyData.toString('base64') };
      },
    ],
    [
      'POST',
      /^\/phones\/(\d+)\/app-state$/,
      (simulator, [digits], body) => {
        const account = find(simulator, digits);
        const asked = changeSchema.parse(body);
        const { collection } = asked;
        if ('bytes' in asked) {
          return { version: simulator.appStates.putBytes(account, collection, Buffer.from(asked.bytes, 'base64')) };
        }
        const changes = asked.changes.map(({ index, value, operation }) => ({
          index: typeof index === 'string' ? index : JSON.stringify(index),
          value: proto.SyncActionValue.fromObject({ timestamp: Date.now(), ...value }),
          operation,
        }));
        return { version: simulator.appStates.change(account, collection, changes, asked) };
      },
    ],
    [
      'GET',
      /^\/phones\/(\d+)\/app-state$/,
      (simulator, [digits]) => {
        const { phone, server } = find(simulator, digits).appState;
        const versions = Object.fromEntries([...server].map(([name, { version }]) => [name, version]));
        return { versions, entries: phone.entries(), failures: phone.record.failures };
      },
    ],
  ];
}
