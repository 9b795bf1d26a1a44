import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';
import type { AuthenticationCreds } from '@whiskeysockets/baileys';
import { AppState, type AppStateRecord } from './appState.ts';
import { nothingKept, type Changes } from './changes.ts';
import type { Group } from './group.ts';
import { FileStore, type StoredFile } from './media/fileStore.ts';
import type { BinaryNode } from './node.ts';
import { makeServerKeys, type ServerKeys } from './noise.ts';
import { Phone, type SentMessage, type TranscriptEntry } from './phone.ts';
import type { PublicPreKey } from './preKey.ts';
import type { Account, AheadMessage, LinkedDevice, World } from './world.ts';
import { noteAppState } from './worldRecords.ts';

/** Raised when records change their shape. */
const VERSION = 5;
const FILE = 'whatsapp.sqlite';
const SAVE_AFTER_MS = 200;

/**
 * What survives a restart: keys, phones with their ratchets, linked devices, queues, transcripts, as records in SQLite.
 * Each save writes the records that have changed since the one before, in one transaction.
 *
 * - If the process is killed: the world is as it was at a save of the last `SAVE_AFTER_MS`, never half of two.
 * - If the machine loses power: it falls back to an earlier save; the write-ahead log is synced at its checkpoints.
 * - If the disk accepts nothing: the save throws, and the process ends with SQLite's own words.
 */
export class SavedState implements Changes {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #changed = new Map<string, () => unknown>();
  #saving: NodeJS.Timeout | undefined;

  /** Opens the state of a folder, or begins one. Throws one sentence when it cannot be used. */
  constructor(folder: string) {
    this.#database = openDatabase(folder);
    this.#put = this.#database.prepare(
      'INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#remove = this.#database.prepare('DELETE FROM records WHERE key = ?');
  }

  readonly note = (key: string, read: () => unknown): void => {
    this.#changed.set(key, read);
    this.#saving ??= setTimeout(() => this.save(), SAVE_AFTER_MS);
  };

  /** Writes what has changed. */
  save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    this.#database.exec('BEGIN');
    for (const [key, read] of this.#changed) {
      const value = read();
      if (value === undefined) this.#remove.run(key);
      else this.#put.run(key, serialize(value));
    }
    this.#database.exec('COMMIT');
    this.#changed.clear();
  }

  /** The records by kind and number, in the order in which they were made. */
  load(): SavedRecords {
    const found = new SavedRecords();
    for (const { key, value } of this.#database.prepare('SELECT key, value FROM records ORDER BY place').iterate()) {
      if (typeof key === 'string' && value instanceof Uint8Array) found.add(key, deserialize(value));
    }
    return found;
  }

  /** Writes what has changed, and lets go of the file. */
  close(): void {
    this.save();
    this.#database.close();
  }
}

/** The values of records by their kind, the first part of their keys. */
interface Kinds {
  readonly keys: ServerKeys;
  readonly account: AccountRecord;
  readonly creds: AuthenticationCreds;
  readonly value: unknown;
  readonly shown: TranscriptEntry;
  readonly sent: SentMessage;
  readonly device: DeviceRecord;
  readonly preKeys: PublicPreKey[];
  readonly pending: BinaryNode;
  readonly ahead: AheadMessage;
  readonly group: Group;
  readonly appState: AppStateRecord;
  readonly file: StoredFile;
}

type AccountRecord = Pick<Account, 'number' | 'lid' | 'name' | 'nextDevice'>;
type DeviceRecord = Omit<LinkedDevice, 'preKeys' | 'pending'>;

class SavedRecords {
  readonly #byOwner = new Map<string, (readonly [rest: string, value: unknown])[]>();

  add(key: string, value: unknown): void {
    const [kind = '', number = '', ...rest] = key.split('/');
    for (const owner of [kind, `${kind}/${number}`]) {
      const records = this.#byOwner.get(owner) ?? [];
      this.#byOwner.set(owner, records);
      records.push([rest.join('/'), value]);
    }
  }

  /** The records of a kind, or those of one account among them, with what tells them apart. */
  of<Kind extends keyof Kinds>(kind: Kind, number?: string): readonly (readonly [rest: string, value: Kinds[Kind]])[] {
    const owner = number === undefined ? kind : `${kind}/${number}`;
    return (this.#byOwner.get(owner) ?? []) as (readonly [string, Kinds[Kind]])[];
  }
}

/** Makes the world of a saved state; a new one, to be forgotten, without. */
export function loadWorld(folder: string | undefined, state: SavedState | undefined): World {
  const changes = state ?? nothingKept;
  const saved = state?.load() ?? new SavedRecords();
  const kept = saved.of('keys')[0]?.[1];
  const keys = kept ?? makeServerKeys(Date.now());
  if (kept === undefined) changes.note('keys', () => keys);
  const files = new FileStore(
    folder === undefined ? undefined : join(folder, 'media'),
    keys.authority.private,
    changes,
    saved.of('file').map(([, file]) => file),
  );
  const accounts = saved
    .of('account')
    .map(([, account]): [string, Account] => [account.number, toAccount(account, saved, changes)]);
  const groups = saved.of('group').map(([, group]): [string, Group] => [group.id, group]);
  return { keys, accounts: new Map(accounts), groups: new Map(groups), files, changes };
}

function toAccount(account: AccountRecord, saved: SavedRecords, changes: Changes): Account {
  const { number, lid } = account;
  const values: Record<string, Record<string, unknown>> = {};
  for (const [rest, value] of saved.of('value', number)) {
    const [type = '', ...id] = rest.split('/');
    (values[type] ??= {})[id.join('/')] = value;
  }
  const creds = saved.of('creds', number)[0]?.[1];
  if (creds === undefined) throw new Error(`There are no credentials of the phone ${number}.`);
  const transcript = saved.of('shown', number).map(([, entry]) => entry);
  const sent = saved.of('sent', number);
  const noteState = (): void => noteAppState({ changes }, { number, appState });
  const appState = new AppState(saved.of('appState', number)[0]?.[1], noteState);
  return {
    ...account,
    phone: new Phone(number, lid, { creds, values, transcript, sent }, changes),
    devices: new Map(saved.of('device', number).map(([, device]) => [device.id, toDevice(device, saved)])),
    ahead: saved.of('ahead', number).map(([, message]) => message),
    appState,
  };
}

function toDevice(device: DeviceRecord, saved: SavedRecords): LinkedDevice {
  const { number, id } = device;
  const preKeys = saved.of('preKeys', number).find(([of]) => of === String(id))?.[1] ?? [];
  const pending = saved.of('pending', number).flatMap(([rest, stanza]) => {
    const [of, place] = rest.split('/').map(Number);
    return of === id && place !== undefined ? [{ place, stanza, inFlight: false }] : [];
  });
  // A place that became free is taken again, and with it the record that was first there.
  return { ...device, preKeys, pending: pending.sort((left, right) => left.place - right.place) };
}

function openDatabase(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, FILE);
  // The files that SQLite puts beside it take over its mode.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file);
  const version = ((): unknown => {
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      const isNew = database.prepare('SELECT name FROM sqlite_schema').get() === undefined;
      if (isNew) {
        database.exec(
          `BEGIN; CREATE TABLE records (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
          PRAGMA user_version = ${VERSION}; COMMIT`,
        );
      }
      const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      return check === 'ok' ? database.prepare('PRAGMA user_version').get()?.['user_version'] : undefined;
    } catch {
      return undefined;
    }
  })();
  if (version === undefined) throw new Error(`The state in ${folder} is not whole. Remove the folder to start anew.`);
  if (version !== VERSION) {
    throw new Error(`The state in ${folder} is of another version of the simulator. Remove the folder to start anew.`);
  }
  return database;
}
