/** WhatsApp for the fleet bench and the soak, in a process of its own: accounts that are linked already, and contacts that write. */
import { randomBytes } from 'node:crypto';
import { encodeWAMessage } from '@whiskeysockets/baileys';
import { node, stamp, type BinaryNode } from '../whatsapp/node.ts';
import { takeBundle } from '../whatsapp/queries.ts';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice } from '../whatsapp/world.ts';
import { answerParent } from './childTalk.ts';
import { packAccount, prepareAccount } from './fleetAccounts.ts';

export interface FleetPlace {
  readonly webSocketUrl: string;
  readonly rootKey: string;
  readonly port: number;
  /** Accounts in the form that `packAccount` makes. */
  accounts: string[];
  readonly contacts: readonly string[];
}

export interface Writing {
  /** Number of the contact who writes. */
  readonly from: string;
  /** Number of the account that is written to. */
  readonly to: string;
  readonly count: number;
}

export type FleetServerAnswers = typeof answers;

const FIRST_ACCOUNT = 4_917_000_000_000;
const FIRST_CONTACT = 4_918_000_000_000;
const CPU_UNIT = 1_000_000;

silenceConsole();
let simulator: WhatsAppSimulator;
const sealed: { readonly device: LinkedDevice; readonly stanza: BinaryNode }[] = [];

const answers = {
  begin: async (size: { readonly accounts: number; readonly contacts: number }): Promise<FleetPlace> => {
    simulator = await startWhatsApp();
    const accounts = Array.from({ length: size.accounts }, (_, index) =>
      packAccount(prepareAccount(simulator.world, String(FIRST_ACCOUNT + index))),
    );
    const contacts = Array.from({ length: size.contacts }, (_, index) => String(FIRST_CONTACT + index));
    for (const contact of contacts) await simulator.addPhone(contact, `Contact ${contact}`);
    const { webSocketUrl, rootKey } = simulator;
    return { webSocketUrl, rootKey, port: Number(new URL(webSocketUrl).port), accounts, contacts };
  },

  /** Contacts encrypt messages for linked devices and keep them: sealing must not take time from what is measured. */
  seal: async (writings: readonly Writing[]): Promise<void> => {
    for (const { from, to, count } of writings) {
      const [contact, account] = [accountOf(from), accountOf(to)];
      for (const device of account.devices.values()) {
        for (let message = 0; message < count; message += 1) {
          sealed.push({ device, stanza: await seal(contact, account, device, `message ${message} to ${to}`) });
        }
      }
    }
  },

  /** All that was sealed is put on the wire, in one go. */
  release: async (): Promise<number> => {
    const count = sealed.length;
    for (const { device, stanza } of sealed) simulator.logins.enqueue(device, stanza);
    sealed.length = 0;
    return count;
  },

  /** Closes the live sockets of an account from the server's side. */
  drop: async (number: string): Promise<number> => {
    const sockets = simulator.logins.socketsOf(number);
    for (const socket of sockets) socket.terminate();
    return sockets.length;
  },

  /** CPU seconds of this process so far, and what went wrong in it. */
  report: async () => {
    const { user, system } = process.cpuUsage();
    const { internalErrors, replaced, undecryptable, retryRequests } = simulator.stats();
    const cpuSeconds = (user + system) / CPU_UNIT;
    return { cpuSeconds, internalErrors, replaced, undecryptable, retryRequests };
  },
};
answerParent(answers);

function accountOf(number: string): Account {
  const account = simulator.world.accounts.get(number);
  if (account === undefined) throw new Error(`there is no account ${number}`);
  return account;
}

async function seal(from: Account, to: Account, device: LinkedDevice, text: string): Promise<BinaryNode> {
  const jid = jidOf(to, device.id, 'lid');
  const bundle = () => takeBundle(simulator.world, jid);
  const message = await from.phone.seal(jid, encodeWAMessage({ conversation: text }), bundle);
  if (message === undefined) throw new Error(`nobody can write to ${jid}`);
  return node(
    'message',
    {
      id: `3A${randomBytes(9).toString('hex').toUpperCase()}`,
      from: jidOf(from, 0, WHATSAPP),
      sender_lid: jidOf(from, 0, 'lid'),
      type: 'text',
      t: stamp(),
      notify: from.name,
    },
    [node('enc', { v: '2', type: message.type }, message.ciphertext)],
  );
}
