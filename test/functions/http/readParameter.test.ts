import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readParameter } from '../../../functions/http/readParameter.ts';
import { Secret } from '../../../shared/kernel/secret.ts';

const token = new Secret('token-of-the-function');
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

/** AWS's extension, as a function sees it on loopback. */
async function startExtension(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a parameter of Systems Manager', () => {
  it('is asked for by name, decrypted, with the token of the function', async () => {
    const asked: IncomingMessage[] = [];
    const url = await startExtension((request, response) => {
      asked.push(request);
      response.end(JSON.stringify({ Parameter: { Name: '/a/b', Type: 'SecureString', Value: 'hf_secret' } }));
    });

    const secret = await readParameter(url, token, '/a/b');

    expect(secret.reveal()).toBe('hf_secret');
    expect(asked[0]?.url).toBe('/systemsmanager/parameters/get?name=%2Fa%2Fb&withDecryption=true');
    expect(asked[0]?.headers['x-aws-parameters-secrets-token']).toBe('token-of-the-function');
  });

  it.each<[what: string, RequestListener, words: string, options?: { readonly timeoutMs: number }]>([
    ['is refused', (_, response) => response.writeHead(400).end('no such parameter'), '/a/b could not be read: 400'],
    ['is empty', (_, response) => response.end('{"Parameter":{"Value":""}}'), 'parameter /a/b has no value'],
    ['does not come', () => undefined, 'aborted due to timeout', { timeoutMs: 300 }],
  ])('is an error that names it when it %s', async (_, listener, words, options) => {
    const url = await startExtension(listener);

    const reading = readParameter(url, token, '/a/b', options);

    await expect(reading).rejects.toThrow(words);
  });
});
