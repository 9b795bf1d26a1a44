import { randomInt } from 'node:crypto';
import { bytesOf, child, node, stamp, type BinaryNode } from '../node.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from '../world.ts';
import type { StoredFile } from './fileStore.ts';
import { Head } from './inside.ts';

/**
 * Pictures of people and groups (xmlns `w:profile:picture`). They lie on the media hosts as they are, and who may see the
 * person may fetch them by link. Those who know the account, and the members of a group, are told when one changes.
 */
export interface PicturesContext {
  readonly world: World;
  /** Host and port that links name. */
  readonly host: () => string;
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
}

type Answer = readonly BinaryNode[] | { readonly error: number };

/** An account, by its number, or a group, by its id. */
type Owner = { readonly key: string; readonly jid: string };

const TYPE = 'picture';

export class Pictures {
  readonly #context: PicturesContext;
  /** The accounts that show their picture to nobody else, by number. They are forgotten with the process. */
  readonly #hidden = new Set<string>();

  constructor(context: PicturesContext) {
    this.#context = context;
  }

  /** A client asks for a picture, or changes its own or that of a group. */
  answer(device: LinkedDevice | undefined, query: BinaryNode): Answer {
    const { world, host } = this.#context;
    const by = device === undefined ? undefined : world.accounts.get(device.number);
    if (by === undefined) return { error: 401 };
    const { target = jidOf(by, 0, WHATSAPP), type } = query.attrs;
    const owner = this.#ownerOf(target);
    if (owner === undefined) return { error: 404 };
    if (type === 'get') {
      if (owner.key !== by.number && this.#hidden.has(owner.key)) return { error: 401 };
      const file = this.#pictureOf(owner);
      if (file === undefined) return { error: 404 };
      const directPath = world.files.pathOf(file);
      const wanted = child(query, 'picture')?.attrs['type'] ?? 'image';
      const attrs = { id: idOf(file), type: wanted, url: `https://${host()}${directPath}`, direct_path: directPath };
      return [node('picture', attrs)];
    }
    if (!mayChange(world, by, owner)) return { error: 403 };
    const picture = bytesOf(query, 'picture');
    if (picture !== undefined && !isUsable(picture)) return { error: 406 };
    const file = this.#change(owner, by, picture);
    return file === undefined ? [] : [node('picture', { id: idOf(file) })];
  }

  /** The owner of a phone changes a picture, or removes it. False if he may not. */
  set(by: Account, target: string, picture: Uint8Array | undefined): boolean {
    const owner = this.#ownerOf(target);
    if (owner === undefined || !mayChange(this.#context.world, by, owner)) return false;
    this.#change(owner, by, picture);
    return true;
  }

  /** The owner of a phone shows the own picture to nobody else, or to all again. */
  hide({ number }: Account, isHidden: boolean): void {
    if (isHidden) this.#hidden.add(number);
    else this.#hidden.delete(number);
  }

  /** The content of the picture that an account or a group has. */
  contentOf(target: string): Promise<Buffer> | undefined {
    const owner = this.#ownerOf(target);
    const file = owner && this.#pictureOf(owner);
    if (file === undefined) return undefined;
    return Array.fromAsync(this.#context.world.files.read(file)).then((chunks) => Buffer.concat(chunks));
  }

  #change(owner: Owner, by: Account, picture: Uint8Array | undefined): StoredFile | undefined {
    const { files } = this.#context.world;
    const before = this.#pictureOf(owner);
    if (before !== undefined) files.remove(before, 404);
    const file = picture === undefined || picture.length === 0 ? undefined : files.put(TYPE, picture, owner.key);
    this.#tell(owner, by, file);
    return file;
  }

  #tell(owner: Owner, by: Account, file: StoredFile | undefined): void {
    const { world, enqueue } = this.#context;
    const members = world.groups.get(owner.key)?.members;
    const said = { jid: owner.jid, author: jidOf(by, 0, members === undefined ? WHATSAPP : 'lid') };
    const change = file === undefined ? node('delete', said) : node('set', { ...said, id: idOf(file) });
    for (const account of world.accounts.values()) {
      for (const device of account.devices.values()) {
        const isTold = members === undefined ? device.knows?.includes(owner.key) === true : members.has(account.number);
        const attrs = { id: String(randomInt(1e9, 1e10)), from: owner.jid, type: 'picture', t: stamp() };
        if (isTold) enqueue(device, node('notification', attrs, [change]));
      }
    }
  }

  #pictureOf({ key }: Owner): StoredFile | undefined {
    return this.#context.world.files
      .list()
      .findLast(({ type, by, gone }) => type === TYPE && by === key && gone === undefined);
  }

  #ownerOf(target: string): Owner | undefined {
    const { world } = this.#context;
    if (world.groups.has(target)) return { key: target, jid: target };
    const account = findAddress(world, target)?.account;
    return account && { key: account.number, jid: jidOf(account, 0, WHATSAPP) };
  }
}

/** One's own picture may be changed, and that of a group of which one is a member. */
function mayChange(world: World, by: Account, owner: Owner): boolean {
  return owner.key === by.number || world.groups.get(owner.key)?.members.has(by.number) === true;
}

/** Clients make their pictures small squares before they set them; what is none is not taken. Its bounds are those of phones. */
function isUsable(picture: Uint8Array): boolean {
  const head = new Head();
  head.update(picture);
  const { format, width = 0, height = 0 } = head.read();
  return format === 'jpeg' && width === height && width >= 192 && width <= 640 && picture.length <= MOST_BYTES;
}
const MOST_BYTES = 200_000;

/** Pictures have numbers by which clients tell whether they have the newest. */
const idOf = ({ name }: StoredFile): string => name.split('_')[1] ?? '';
