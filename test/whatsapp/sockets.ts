import { afterEach, beforeEach } from 'vitest';
import { WhatsAppClient } from './client.ts';
import { openPlainSocket, PlainAccount, pairByQr, type PlainSocket } from './plainSocket.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';

type Config = Parameters<typeof openPlainSocket>[2];

/** A simulator with phones for each test of a file, and the sockets that are opened to it, closed afterwards. */
export interface Stage {
  readonly whatsApp: () => WhatsAppSimulator;
  readonly client: () => WhatsAppClient;
  /** Opens a socket that is closed after the test. */
  readonly connect: (account: PlainAccount, config?: Config) => PlainSocket;
  /** Pairs a new device with a phone by QR. Resolves when it has caught up. */
  readonly pair: (number: string, account?: PlainAccount) => Promise<PlainSocket>;
}

/** Sets the stage for the tests of a `describe`. @param numbers of the phones, by name */
export function useStage(numbers: Readonly<Record<string, string>>): Stage {
  let whatsApp: WhatsAppSimulator;
  let client: WhatsAppClient;
  const open: PlainSocket[] = [];
  beforeEach(async () => {
    whatsApp = await startWhatsApp();
    client = new WhatsAppClient(whatsApp.controlUrl);
    for (const [name, number] of Object.entries(numbers)) await client.addPhone(number, name);
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    await whatsApp.stop();
    assertSound(whatsApp);
  });
  return {
    whatsApp: () => whatsApp,
    client: () => client,
    connect: (account, config) => {
      const socket = openPlainSocket(account, whatsApp, config);
      open.push(socket);
      return socket;
    },
    pair: async (number, account = new PlainAccount()) => {
      const socket = await pairByQr(account, whatsApp, (qr) => client.scan(number, qr));
      open.push(socket);
      return socket;
    },
  };
}

/** Throws when the simulator itself had a fault: what the test showed cannot be trusted then. */
export function assertSound(whatsApp: WhatsAppSimulator): void {
  const { internalErrors } = whatsApp.stats();
  if (internalErrors.length > 0) throw new Error(`faults of the simulator: ${internalErrors.join('; ')}`);
}
