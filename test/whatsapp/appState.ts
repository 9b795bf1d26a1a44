import { AppStatePhone, type PhoneStateRecord } from './appStatePhone.ts';

/** A collection as the server has it: it orders patches, and cannot read them. */
export interface ServerCollection {
  version: number;
  /** Patches by the version that they make. */
  readonly patches: Map<number, Uint8Array>;
  /** The present records, as messages of the protocol, by the MACs of their indexes, in hex, of which it makes snapshots. */
  readonly records: Map<string, Uint8Array>;
  /** The MAC of the whole and its key, as the last patch names them. */
  last: { readonly snapshotMac: Uint8Array; readonly keyId: Uint8Array } | undefined;
}

export interface AppStateRecord {
  readonly server: Map<string, ServerCollection>;
  readonly phone: PhoneStateRecord;
}

/** The state that the devices of one account share: what the server has of it, and what the phone knows. */
export class AppState {
  readonly phone: AppStatePhone;
  readonly server: Map<string, ServerCollection>;

  readonly #changed: () => void;

  constructor(saved: AppStateRecord | undefined, changed: () => void) {
    this.#changed = changed;
    this.phone = new AppStatePhone(saved?.phone, changed);
    this.server = saved?.server ?? new Map();
  }

  get record(): AppStateRecord {
    return { server: this.server, phone: this.phone.record };
  }

  at(name: string): ServerCollection {
    const known = this.server.get(name);
    if (known !== undefined) return known;
    const made = { version: 0, patches: new Map(), records: new Map(), last: undefined };
    this.server.set(name, made);
    this.#changed();
    return made;
  }
}
