import { createHash, hkdfSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Bridge from 'whatsapp-rust-bridge';

/**
 * What Baileys uses of `whatsapp-rust-bridge`, in programs that are bundled (`scripts/bundlePrograms.ts`). The package is
 * WebAssembly in 2 MB of text, which each process would read at its start. Digests are Node's own here; only what is about
 * app state asks for the package, when it is called for the first time.
 */
let loaded: typeof Bridge | undefined;

function bridge(): typeof Bridge {
  // The package is a module that `require` can load, but it names an entry for `import` alone.
  loaded ??= createRequire(import.meta.url)(
    fileURLToPath(import.meta.resolve('whatsapp-rust-bridge')),
  ) as typeof Bridge;
  return loaded;
}

const NOTHING = new Uint8Array(0);

export const md5: typeof Bridge.md5 = (data) => new Uint8Array(createHash('md5').update(data).digest());

export const hkdf: typeof Bridge.hkdf = (key, bytes, { salt, info }) =>
  new Uint8Array(hkdfSync('sha256', key, salt ?? NOTHING, info ?? '', bytes));

export const expandAppStateKeys: typeof Bridge.expandAppStateKeys = (key) => bridge().expandAppStateKeys(key);

type Hash = InstanceType<typeof Bridge.LTHashAntiTampering>;

/** Baileys makes one when it is loaded, and all that are made are the same. */
export class LTHashAntiTampering implements Pick<Hash, 'subtractThenAdd'> {
  #made: Hash | undefined;

  subtractThenAdd(base: Uint8Array, subtract: Uint8Array[], add: Uint8Array[]): Uint8Array {
    this.#made ??= new (bridge().LTHashAntiTampering)();
    return this.#made.subtractThenAdd(base, subtract, add);
  }
}
