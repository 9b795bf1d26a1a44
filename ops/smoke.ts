import { z } from 'zod';
import { ApiClient, makeTenant } from '../infra/local/apiClient.ts';
import type { Clock } from '../shared/kernel/clock.ts';
import { problemOf } from './readFleet.ts';
import { Failed, span } from './sentence.ts';
import type { Target } from './target.ts';

export interface SmokeDependencies {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly target: Target;
  readonly say: (line: string) => void;
  /** Shows a QR to whoever holds the phone. */
  readonly showQr: (qr: string) => Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
/** WhatsApp shows codes for some two and a half minutes; a person needs a moment before. */
const LINK_MS = 5 * 60_000;
const SEND_MS = 60_000;

const offerSchema = z.object({ qr: z.string() });
const connectionSchema = z.object({
  status: z.object({ status: z.string(), sentence: z.string().optional() }),
  account: z.object({ phoneNumber: z.string() }).optional(),
});
const messageSchema = z.object({
  id: z.string(),
  status: z.string(),
  error: z.object({ code: z.string() }).optional(),
});

/**
 * Goes the whole way of a tenant once: makes a tenant with a key, links a phone, sends a message from it to itself, and
 * waits until WhatsApp has delivered it. Throws Failed with the step that did not work. Tenant and connection stay: they
 * can be the canary's.
 */
export async function smoke(dependencies: SmokeDependencies): Promise<void> {
  const { target, say } = dependencies;
  const { url, client: operator } = target.api();
  const ready = await new ApiClient(url, operator.key).call('GET', '/health/ready');
  if (ready.status !== 200) throw new Failed(`The API is not ready: ${problemOf(ready, url)}`);
  say('The API is ready.');
  const api = await makeTenant(url, operator.key, 'Smoke test');
  const { id } = await api.must('POST', '/v1/connections', { label: 'Smoke test' });
  const connection = `/v1/connections/${String(id)}`;
  say('A tenant and a connection are made. On the phone: Settings, Linked devices, Link a device. Scan this:');
  const phoneNumber = await link(dependencies, api, connection);
  say(`${phoneNumber} is linked and online.`);
  await sendToItself(dependencies, api, connection, phoneNumber);
  say(
    `The connection ${String(id)} stays linked. It can be the canary: its key belongs into a parameter (docs/deploy.md).`,
  );
  say(`Key of its tenant, shown this once: ${api.key}`);
}

/** Resolves with the number of the phone when its connection is online. */
async function link({ clock, showQr }: SmokeDependencies, api: ApiClient, connection: string): Promise<string> {
  await api.must('POST', `${connection}/pairing`, { method: 'qr' });
  const giveUpAtMs = clock.monotonicMs() + LINK_MS;
  for (let shown = ''; ; await clock.sleep(LOOK_EVERY_MS)) {
    const { status, account } = connectionSchema.parse(await api.must('GET', connection));
    if (status.status === 'online' && account !== undefined) return account.phoneNumber;
    if (clock.monotonicMs() > giveUpAtMs) {
      throw new Failed(`Nothing was linked within ${span(LINK_MS)}: ${status.sentence ?? status.status}`);
    }
    const offer = offerSchema.safeParse((await api.call('GET', `${connection}/pairing`)).json);
    if (!offer.success || offer.data.qr === shown) continue;
    shown = offer.data.qr;
    await showQr(shown);
  }
}

async function sendToItself(
  { clock, say }: SmokeDependencies,
  api: ApiClient,
  connection: string,
  phoneNumber: string,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  const body = { to: phoneNumber, type: 'text', text: { body: 'Holdfast works 👋' } };
  const { id } = messageSchema.parse(await api.must('POST', `${connection}/messages`, body));
  for (;;) {
    const { status, error } = messageSchema.parse(await api.must('GET', `${connection}/messages/${id}`));
    const tookMs = clock.monotonicMs() - startedMs;
    if (['sent', 'delivered', 'read'].includes(status)) {
      say(`A message to itself is ${status} after ${Math.round(tookMs)} ms.`);
      return;
    }
    if (['failed', 'expired', 'cancelled'].includes(status)) {
      throw new Failed(`The message to itself is ${status}: ${error?.code ?? 'no reason given'}.`);
    }
    if (tookMs > SEND_MS) throw new Failed(`The message to itself is still ${status} after ${span(SEND_MS)}.`);
    await clock.sleep(LOOK_EVERY_MS);
  }
}
