import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferJSON } from '@whiskeysockets/baileys';
import { makeServerKeys, type ServerKeys } from './noise.ts';
import { Phone, type SavedPhone } from './phone.ts';
import type { Account, LinkedDevice, World } from './world.ts';

/** What survives a restart: keys, phones with their ratchets, linked devices, queues, transcripts. */
interface SavedWorld {
  readonly keys: ServerKeys;
  readonly accounts: readonly {
    readonly number: string;
    readonly lid: string;
    readonly name: string;
    readonly nextDevice: number;
    readonly phone: SavedPhone;
    readonly devices: readonly LinkedDevice[];
  }[];
}

const FILE = 'whatsapp.json';

/** Reads the world of a folder; a new one if the folder holds none or no folder is given. */
export function loadWorld(folder: string | undefined): World {
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    const text = readIfThere(join(folder, FILE));
    if (text !== undefined) return toWorld(JSON.parse(text, BufferJSON.reviver) as SavedWorld);
  }
  return { keys: makeServerKeys(Date.now()), accounts: new Map() };
}

/** Writes the world so that a kill leaves the old file or the new one, never half of one. */
export function saveWorld(world: World, folder: string): void {
  const saved: SavedWorld = {
    keys: world.keys,
    accounts: [...world.accounts.values()].map((account) => ({
      number: account.number,
      lid: account.lid,
      name: account.name,
      nextDevice: account.nextDevice,
      phone: account.phone.save(),
      devices: [...account.devices.values()],
    })),
  };
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(saved, BufferJSON.replacer), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function toWorld(saved: SavedWorld): World {
  const accounts = saved.accounts.map((account): [string, Account] => [
    account.number,
    {
      ...account,
      phone: new Phone(account.number, account.lid, account.phone),
      devices: new Map(
        account.devices.map((device) => [
          device.id,
          { ...device, pending: device.pending.map(({ stanza }) => ({ stanza, inFlight: false })) },
        ]),
      ),
    },
  ]);
  return { keys: saved.keys, accounts: new Map(accounts) };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
