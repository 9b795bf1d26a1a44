import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';
import { proto } from '@whiskeysockets/baileys';
import type { CommitGate } from '../../fleet/gate.ts';
import type { Session } from '../../session/session.ts';
import type { CredentialSaves } from './credentialSaves.ts';

/** How long a call waits for the gate, in milliseconds: longer than WhatsApp keeps a socket that does not answer. */
const SUSPENDED_MS = 60_000;

/** The session as Baileys' key store, with a question of ours. */
export interface SessionKeys extends SignalKeyStore {
  /** Whether there is certainly an open Signal session under an address. */
  readonly hasOpenSession: (address: string) => Promise<boolean>;
}

/**
 * The session as Baileys' key store. A failure cuts the connection before it is thrown: Baileys and libsignal take a
 * failed read for "no session", and would answer WhatsApp accordingly. The gate is asked after each call: Baileys
 * awaits one between the encryption of a message and the wire.
 */
export function makeSessionKeys(
  session: Session,
  gate: CommitGate,
  cut: (cause: unknown) => void,
  saves?: Pick<CredentialSaves, 'hold'>,
): SessionKeys {
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      const result = await work();
      await gate.whenOpen(SUSPENDED_MS);
      return result;
    } catch (error) {
      cut(error);
      throw error;
    }
  };
  // The counters of new pre-keys are stored beside them, and not after them: what tells WhatsApp of the keys leaves when
  // both are durable. After a death between the two writes the numbers are either given again, to keys that nobody has
  // seen, or are a gap.
  const onTheirWay = (data: SignalDataSet, saves: Pick<CredentialSaves, 'hold'>): Promise<void> => {
    const made = Promise.withResolvers<void>();
    const durable = guarded(() => session.setKeys(data, made.resolve));
    saves.hold(durable);
    return Promise.race([made.promise, durable]);
  };
  return {
    get: async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) =>
      guarded(async () => {
        const found = await session.getKeys(type, ids);
        if (type === 'app-state-sync-key') {
          // The value must be a message of the library: made from plain values its key has no bytes, and no patch ever
          // verifies.
          for (const [id, value] of Object.entries(found)) {
            found[id] = proto.Message.AppStateSyncKeyData.fromObject(value as Record<string, unknown>);
          }
        }
        return found as { [id: string]: SignalDataTypeMap[Type] };
      }),
    set: async (data: SignalDataSet) => {
      if (saves !== undefined && isNewPreKeys(data)) return onTheirWay(data, saves);
      return guarded(() => (isReceived(data) ? session.setKeysBehind(data) : session.setKeys(data)));
    },
    hasOpenSession: (address) => guarded(() => session.hasOpenSession(address)),
  };
}

function isNewPreKeys(data: SignalDataSet): boolean {
  const entries = Object.entries(data);
  return entries.length === 1 && Object.values(data['pre-key'] ?? {}).every((preKey) => preKey !== null);
}

/** Whether a write is a receiving step: the mark of a handled stanza shows that, and that its message is published. */
function isReceived(data: SignalDataSet): boolean {
  return 'handled' in data;
}
