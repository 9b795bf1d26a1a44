import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferJSON } from '@whiskeysockets/baileys';
import { makeServerKeys, type ServerKeys } from './noise.ts';
import { Phone, type SavedPhone } from './phone.ts';
import type { Group, Role } from './group.ts';
import { MediaStore } from './media.ts';
import type { Account, AheadMessage, LinkedDevice, World } from './world.ts';

/** What survives a restart: keys, phones with their ratchets, linked devices, queues, transcripts. */
interface SavedWorld {
  readonly version: number;
  readonly keys: ServerKeys;
  readonly accounts: readonly {
    readonly number: string;
    readonly lid: string;
    readonly name: string;
    readonly nextDevice: number;
    readonly phone: SavedPhone;
    readonly devices: readonly LinkedDevice[];
    readonly ahead: readonly AheadMessage[];
  }[];
  readonly groups: readonly (Omit<Group, 'members'> & { readonly members: readonly [string, Role][] })[];
}

const FILE = 'whatsapp.json';
/** Raised when the file changes its shape. */
const VERSION = 2;

/** Reads the world of a folder; a new one if the folder holds none or no folder is given. Throws if it cannot be read. */
export function loadWorld(folder: string | undefined): World {
  const media = new MediaStore(folder === undefined ? undefined : join(folder, 'media'));
  const text = folder === undefined ? undefined : readIfThere(join(folder, FILE));
  if (text === undefined) {
    return { keys: makeServerKeys(Date.now()), accounts: new Map(), groups: new Map(), media };
  }
  const saved = parse(text);
  if (saved === undefined) throw new Error(`The state in ${folder} is not whole. Remove the folder to start anew.`);
  if (saved.version !== VERSION) {
    throw new Error(`The state in ${folder} is of another version of the simulator. Remove the folder to start anew.`);
  }
  return toWorld(saved, media);
}

/** Writes the world so that a kill leaves the old file or the new one, never half of one. */
export function saveWorld(world: World, folder: string): void {
  const saved: SavedWorld = {
    version: VERSION,
    keys: world.keys,
    accounts: [...world.accounts.values()].map((account) => ({
      number: account.number,
      lid: account.lid,
      name: account.name,
      nextDevice: account.nextDevice,
      phone: account.phone.save(),
      devices: [...account.devices.values()],
      ahead: account.ahead,
    })),
    groups: [...world.groups.values()].map((group) => ({ ...group, members: [...group.members] })),
  };
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(saved, BufferJSON.replacer), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function toWorld(saved: SavedWorld, media: MediaStore): World {
  const accounts = saved.accounts.map((account): [string, Account] => [
    account.number,
    {
      ...account,
      ahead: [...account.ahead],
      phone: new Phone(account.number, account.lid, account.phone),
      devices: new Map(
        account.devices.map((device) => [
          device.id,
          { ...device, pending: device.pending.map(({ stanza }) => ({ stanza, inFlight: false })) },
        ]),
      ),
    },
  ]);
  const groups = saved.groups.map((group): [string, Group] => [
    group.id,
    { ...group, members: new Map(group.members) },
  ]);
  return { keys: saved.keys, accounts: new Map(accounts), groups: new Map(groups), media };
}

/** The saved world; undefined for a file that was cut short. */
function parse(text: string): SavedWorld | undefined {
  try {
    return (JSON.parse(text, BufferJSON.reviver) as SavedWorld | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
