import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processAccess } from '../../infra/access/access.ts';
import { startStack } from '../../infra/local/stack.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { startWebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { operatorAccess } from '../../infra/access/operatorAccess.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startCallRecorder, type CallRecorder, type RecordedCall } from './callRecorder.ts';
import { Ledger } from './judge.ts';
import { permissionsOf } from './permissions.ts';
import { everything } from './scenario.ts';
import { startUnwillingReceiver } from './unwillingReceiver.ts';

const STAGE = 'local';

/** Runs the product with everything that it does, once, and gives what was called. */
export async function runContract(say: (line: string) => void): Promise<Ledger> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-contract-'));
  const ledger = new Ledger(STAGE, permissionsOf({ ...processAccess, ...operatorAccess }));
  let refusing: ((call: RecordedCall) => boolean) | undefined;
  let recorder: CallRecorder | undefined;
  let stack: RunningStack | undefined;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const [receiver, unwilling] = await Promise.all([startWebhookReceiver(), startUnwillingReceiver()]);
  try {
    stack = await startStack({
      dataDir,
      port: 0,
      live: false,
      workers: 2,
      // Called by the run itself, with a clock that makes its minutes pass.
      watchdogSettings: false,
      // Quicker than in production, where WhatsApp is given more time.
      workerSettings: {
        HOLDFAST_SERVER_ACK_TIMEOUT_MS: '5000',
        BAILEYS_RECONNECT_BASE_DELAY: '1000',
        HOLDFAST_PACE_BUDGETS: 'off',
      },
      inFront: async (emulators) => {
        recorder = await startCallRecorder(emulators, (call) => {
          if (call.caller !== 'stack') ledger.add(call);
          return refusing?.(call) === true ? 'refuse' : 'pass';
        });
        return recorder;
      },
      say: () => undefined,
      onBroken: (reason) => broken.reject(new Error(reason)),
    });
    const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
    const refuse = (which: typeof refusing): void => {
      refusing = which;
    };
    await Promise.race([
      everything({ stack, whatsApp, receiver, unwilling, ledger, dataDir, refuse, say }),
      broken.promise,
    ]);
    await stack.stop();
    return ledger;
  } finally {
    await stack?.stop();
    await Promise.all([recorder?.stop(), receiver.stop(), unwilling.stop()]);
    rmSync(dataDir, { recursive: true, force: true });
  }
}
