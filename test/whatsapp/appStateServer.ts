import { randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { ServerCollection } from './appState.ts';
import type { Spelling, StateChange } from './appStatePhone.ts';
import { sealBlob } from './appStateSeal.ts';
import type { Faults } from './faults.ts';
import { bytesOf, child, children, node, stamp, type BinaryNode } from './node.ts';
import { WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteAppState } from './worldRecords.ts';

/** The collections that WhatsApp's clients know. */
export const COLLECTIONS: readonly string[] = [
  'critical_block',
  'critical_unblock_low',
  'regular_high',
  'regular_low',
  'regular',
];
/** How many patches one answer holds at most. The real number is not known. */
const PATCHES_IN_ANSWER = 10;

export interface AppStateContext {
  readonly world: World;
  readonly faults: Faults;
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
}

/**
 * The server's part in app state: versions, patches, snapshots, and word to the other devices. It reads no patch. The forms
 * of answers are what Baileys and whatsmeow read; which errors WhatsApp uses, how it cuts answers, and that the writing
 * device is not told of its own patch, is a model that nobody has verified.
 */
export class AppStates {
  readonly #context: AppStateContext;
  #races = 0;

  constructor(context: AppStateContext) {
    this.#context = context;
  }

  /** Answers a query of a device: for each collection a patch is taken, or what is new is given. */
  answer(device: LinkedDevice | undefined, query: BinaryNode): readonly BinaryNode[] {
    const account = this.#context.world.accounts.get(device?.number ?? '');
    if (device === undefined || account === undefined) return [];
    const collections = children(child(query, 'sync'), 'collection');
    return [
      node(
        'sync',
        {},
        collections.map((asked) => this.#answerOne(account, device, asked)),
      ),
    ];
  }

  /** The owner of a phone changes something on it. Returns the version that this makes. */
  change(account: Account, name: string, changes: readonly StateChange[], spelling: Spelling): number {
    const { mutations, ...head } = account.appState.phone.write(name, changes, spelling);
    const isExternal = spelling.external === true;
    const patch = {
      ...head,
      ...(isExternal ? { externalMutations: this.#putBlob(account, mutations) } : { mutations }),
    };
    return this.#store(account, name, proto.SyncdPatch.encode(patch).finish(), 0, mutations);
  }

  /** Bytes come to the server as a patch, from wherever. */
  putBytes(account: Account, name: string, bytes: Uint8Array): number {
    account.appState.phone.skip(name);
    return this.#store(account, name, bytes, 0);
  }

  #answerOne(account: Account, device: LinkedDevice, asked: BinaryNode): BinaryNode {
    const { faults } = this.#context;
    const { name = '', version = '0', return_snapshot: snapshot } = asked.attrs;
    const refused = faults.take('app_state_error', account.number, (fault) => (fault.collection ?? name) === name);
    if (refused !== undefined) return failed(name, refused.code);
    if (!COLLECTIONS.includes(name)) return failed(name, 400);
    const patch = bytesOf(asked, 'patch');
    if (patch !== undefined) return this.#take(account, device, { name, version: Number(version), patch });
    return this.#give(account, { name, version: Number(version), snapshot: snapshot === 'true' });
  }

  #take(
    account: Account,
    device: LinkedDevice,
    { name, version, patch }: { readonly name: string; readonly version: number; readonly patch: Uint8Array },
  ): BinaryNode {
    if (this.#context.faults.take('app_state_race', account.number) !== undefined) {
      const index = JSON.stringify(['race', String((this.#races += 1))]);
      this.change(account, name, [{ index, value: { timestamp: Date.now() }, operation: 'set' }], {});
    }
    const collection = account.appState.at(name);
    if (version !== collection.version) {
      const { patches } = this.#newer(collection, version);
      const error = node('error', { code: '409', text: 'conflict' });
      return node('collection', { name, type: 'error' }, [node('patches', {}, patches), error]);
    }
    const decoded = decodedPatch(patch);
    if (decoded === undefined || (decoded.mutations ?? []).length === 0) return failed(name, 400);
    const made = this.#store(account, name, patch, device.id);
    account.appState.phone.receive(name, made, decoded, device.id);
    noteAppState(this.#context.world, account);
    return node('collection', { name, version: String(made) });
  }

  #give(
    account: Account,
    { name, version, snapshot }: { readonly name: string; readonly version: number; readonly snapshot: boolean },
  ): BinaryNode {
    const { faults } = this.#context;
    const collection = account.appState.at(name);
    const spoilt = faults.take('app_state_spoil', account.number)?.part;
    if (spoilt === 'endless') return node('collection', { name, version: '1', has_more_patches: 'true' });
    if (snapshot && collection.version > 0) {
      const bytes = proto.SyncdSnapshot.encode(toSnapshot(collection, spoilt === 'snapshot_mac')).finish();
      const { blob, ...named } = sealBlob(bytes);
      const directPath = spoilt === 'blob' ? '/v/md-app-state/nowhere' : this.#keep(account, blob);
      const reference = proto.ExternalBlobReference.encode({ ...named, directPath });
      const attrs = { name, version: String(collection.version), has_more_patches: 'false' };
      return node('collection', attrs, [node('snapshot', {}, reference.finish())]);
    }
    // What a client claims beyond the newest version cannot be: it has another account's, or made it up.
    if (version > collection.version) return failed(name, 400);
    const { patches, hasMore } = this.#newer(collection, version, spoilt);
    const attrs = { name, version: String(version), has_more_patches: String(hasMore) };
    return node('collection', attrs, [node('patches', {}, patches)]);
  }

  /** Mutations that are too many for a stanza lie beside it. */
  #putBlob(account: Account, mutations: proto.ISyncdMutation[]): proto.IExternalBlobReference {
    const { blob, ...named } = sealBlob(proto.SyncdMutations.encode({ mutations }).finish());
    return { ...named, directPath: this.#keep(account, blob) };
  }

  /** Returns the path at the media hosts. */
  #keep({ number }: Account, blob: Uint8Array): string {
    const { files } = this.#context.world;
    return files.pathOf(files.put('md-app-state', blob, number));
  }

  #newer(collection: ServerCollection, version: number, spoilt?: string) {
    const newer = [...collection.patches].filter(([made]) => made > version).sort(([left], [right]) => left - right);
    const patches = newer
      .slice(0, PATCHES_IN_ANSWER)
      .map(([made, bytes]) => node('patch', {}, withVersion(bytes, made, spoilt)));
    return { patches, hasMore: newer.length > PATCHES_IN_ANSWER };
  }

  /** Takes a patch as the newest, and tells the linked devices but the one that wrote it. */
  #store(
    account: Account,
    name: string,
    bytes: Uint8Array,
    by: number,
    mutations = decodedPatch(bytes)?.mutations ?? [],
  ): number {
    const collection = account.appState.at(name);
    collection.version += 1;
    collection.patches.set(collection.version, bytes);
    const decoded = decodedPatch(bytes);
    for (const { operation, record } of mutations) {
      const key = Buffer.from(record?.index?.blob ?? []).toString('hex');
      if (operation === proto.SyncdMutation.SyncdOperation.REMOVE) collection.records.delete(key);
      else if (record) collection.records.set(key, proto.SyncdRecord.encode(record).finish());
    }
    const { snapshotMac, keyId } = decoded ?? {};
    if (snapshotMac && keyId?.id) collection.last = { snapshotMac, keyId: keyId.id };
    noteAppState(this.#context.world, account);
    const version = String(collection.version);
    for (const device of account.devices.values()) {
      if (device.id === by) continue;
      const attrs = { from: WHATSAPP, type: 'server_sync', id: String(randomInt(1e9, 1e10)), t: stamp() };
      this.#context.enqueue(device, node('notification', attrs, [node('collection', { name, version })]));
    }
    return collection.version;
  }
}

function failed(name: string, code: number): BinaryNode {
  return node('collection', { name, type: 'error' }, [node('error', { code: String(code), text: 'simulated' })]);
}

function decodedPatch(bytes: Uint8Array): proto.ISyncdPatch | undefined {
  try {
    return proto.SyncdPatch.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A patch as it is given out: the server writes its version into it. Bytes that are no patch stay as they are. */
function withVersion(bytes: Uint8Array, version: number, spoilt: string | undefined): Uint8Array {
  const patch = decodedPatch(bytes);
  if (spoilt === 'bytes') return Buffer.from('ff00ff00', 'hex');
  if (patch === undefined) return bytes;
  const patchMac = Buffer.from(patch.patchMac ?? []);
  if (spoilt === 'patch_mac' && patchMac.length > 0) patchMac[0] = (patchMac[0] ?? 0) ^ 1;
  return proto.SyncdPatch.encode({ ...patch, patchMac, version: { version } }).finish();
}

function toSnapshot({ version, records, last }: ServerCollection, isSpoilt: boolean): proto.ISyncdSnapshot {
  const mac = Buffer.from(last?.snapshotMac ?? []);
  if (isSpoilt && mac.length > 0) mac[0] = (mac[0] ?? 0) ^ 1;
  return {
    version: { version },
    records: [...records.values()].map((bytes) => proto.SyncdRecord.decode(bytes)),
    mac,
    keyId: { id: last?.keyId ?? null },
  };
}
