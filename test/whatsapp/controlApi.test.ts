import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WhatsAppClient } from './client.ts';
import { silenceConsole } from './silenceConsole.ts';
import { startWhatsApp, type WhatsAppSimulator } from './simulator.ts';

silenceConsole();
const ANN = '4915100000001';
const BOB = '4915100000002';

describe('the control API', () => {
  let whatsApp: WhatsAppSimulator;
  beforeAll(async () => {
    whatsApp = await startWhatsApp();
    const client = new WhatsAppClient(whatsApp.controlUrl);
    await client.addPhone(ANN, 'Ann');
    await client.addPhone(BOB, 'Bob');
  });
  afterAll(() => whatsApp.stop());

  it.each([
    ['no such route', 'GET', '/nothing', undefined, 404],
    ['a number that is none', 'POST', '/phones', { number: 'abc', name: 'X' }, 400],
    ['an unknown field', 'POST', '/phones', { number: '4915100000009', colour: 'red' }, 400],
    ['a phone that is not there', 'POST', '/phones/4915199999999/messages', { to: ANN, text: 'x' }, 404],
    ['a QR text that is unknown', 'POST', `/phones/${ANN}/link`, { qr: '2@nothing,a,b,c' }, 409],
    ['a device that is not there', 'DELETE', `/phones/${ANN}/devices/9`, undefined, 404],
    ['an unknown fault', 'POST', '/faults', { kind: 'earthquake' }, 400],
    ['a fault without its code', 'POST', '/faults', { kind: 'nack' }, 400],
    ['a fault before login for one number', 'POST', '/faults', { kind: 'no_hello', number: ANN }, 400],
    ['a body that is a list', 'POST', '/phones', [], 400],
    ['neither text nor media', 'POST', `/phones/${ANN}/messages`, { to: BOB }, 400],
    ['a group that is not there', 'POST', `/phones/${ANN}/messages`, { to: '1@g.us', text: 'x' }, 404],
    ['a malformed path', 'GET', '/phones/%E0%A4%A/messages', undefined, 400],
    ['a code for another number', 'POST', `/phones/${ANN}/link`, { code: 'AAAABBBB', offerFor: BOB }, 409],
    ['a code that nobody asked for', 'POST', `/phones/${ANN}/link`, { code: 'AAAABBBB', offerFor: ANN }, 409],
    ['a message that is not shown', 'POST', `/phones/${ANN}/read`, { id: 'none' }, 404],
    ['media that are not shown', 'GET', `/phones/${ANN}/media/none`, undefined, 404],
  ])('%s gets a clear answer', async (_what, method, path, body, status) => {
    const response = await fetch(`${whatsApp.controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error.length).toBeGreaterThan(10);
  });

  it('refuses a body that is no JSON, and one that is too long', async () => {
    const post = (body: string) => fetch(`${whatsApp.controlUrl}/phones`, { method: 'POST', body });

    const answers = await Promise.all([post('{"number":'), post(`"${'x'.repeat(25 * 1024 * 1024)}"`)]);

    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });

  it('leaves a phone as it is when it is made again', async () => {
    const client = new WhatsAppClient(whatsApp.controlUrl);
    const [before] = await client.phones();

    const again = await client.addPhone(ANN, 'Another name');

    expect(again).toEqual(before);
  });

  it('lists the faults in force until they are deleted or used up', async () => {
    const client = new WhatsAppClient(whatsApp.controlUrl);
    await client.fault({ kind: 'drop_acks', number: ANN });
    await client.fault({ kind: 'refuse_login', reason: 503, times: 2 });

    const listed: unknown = await fetch(`${whatsApp.controlUrl}/faults`).then((response) => response.json());
    await client.clearFaults();
    const left: unknown = await fetch(`${whatsApp.controlUrl}/faults`).then((response) => response.json());

    expect(listed).toEqual({
      faults: [
        { kind: 'drop_acks', number: ANN },
        { kind: 'refuse_login', reason: 503, times: 2 },
      ],
    });
    expect(left).toEqual({ faults: [] });
  });
});
