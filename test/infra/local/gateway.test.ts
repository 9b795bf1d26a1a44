import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeGateway } from '../../../infra/local/gateway.ts';

describe('gateway', () => {
  let server: ReturnType<typeof makeGateway>;
  let events: APIGatewayProxyEventV2[];
  let result: APIGatewayProxyStructuredResultV2 | Error;
  let url = '';
  beforeEach(async () => {
    events = [];
    result = { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
    server = makeGateway(() => async (event) => {
      events.push(event);
      if (result instanceof Error) throw result;
      return result;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('makes an event of payload format 2.0', async () => {
    await fetch(`${url}/v1/connections?limit=5&tag=a&tag=b`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-Thing': 'one' },
      body: '{"label":"ü"}',
    });

    expect(events).toMatchObject([
      {
        version: '2.0',
        rawPath: '/v1/connections',
        rawQueryString: 'limit=5&tag=a&tag=b',
        queryStringParameters: { limit: '5', tag: 'a,b' },
        headers: { 'content-type': 'application/json', 'x-thing': 'one' },
        requestContext: { http: { method: 'POST', path: '/v1/connections', sourceIp: '127.0.0.1' } },
        body: '{"label":"ü"}',
        isBase64Encoded: false,
      },
    ]);
  });

  it('leaves a percent-encoded path as it came', async () => {
    await fetch(`${url}/v1/connections/a%20b%2Fc`);

    expect(events[0]?.rawPath).toBe('/v1/connections/a%20b%2Fc');
  });

  it('joins several headers of one name with commas', async () => {
    await new Promise<void>((resolve) => {
      const sent = request(`${url}/x`, { headers: { 'x-thing': ['one', 'two'] } }, (response) => {
        response.resume();
        response.on('end', resolve);
      });
      sent.end();
    });

    expect(events[0]?.headers['x-thing']).toBe('one,two');
  });

  it('hands on bytes that are no text in base64, both ways', async () => {
    const bytes = Buffer.from([0, 255, 137, 80]);
    result = {
      statusCode: 200,
      headers: { 'content-type': 'image/png' },
      body: bytes.toString('base64'),
      isBase64Encoded: true,
    };

    const response = await fetch(`${url}/picture`, { method: 'POST', body: bytes });

    expect(events[0]).toMatchObject({ isBase64Encoded: true, body: bytes.toString('base64') });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get('content-type')).toBe('image/png');
  });

  it('refuses a body over 10 MB itself, as API Gateway does', async () => {
    const response = await fetch(`${url}/big`, { method: 'POST', body: 'x'.repeat(10 * 1_024 * 1_024 + 1) });

    expect(response.status).toBe(413);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(events).toEqual([]);
  });

  it('answers 502 when a handler throws', async () => {
    result = new Error('handler is broken');

    expect((await fetch(`${url}/x`)).status).toBe(502);
  });
});
