import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeApiHandler } from '../../functions/api/handler.ts';
import { answerStream } from '../../functions/stream/nodeStreams.ts';
import { makeGateway, type HttpHandler } from '../../infra/local/gateway.ts';
import { tail, toLine } from '../../ops/tail.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { StreamStage, untilSo, type StreamProcess, type StreamTenant } from '../functions/stream/streamStage.ts';

const AN_EVENT = JSON.stringify({
  id: 'evt_000000000001A00',
  type: 'message.received',
  connectionId: 'con_1',
  occurredAt: '2026-08-01T12:00:05.000Z',
  data: { content: { type: 'text', text: { body: 'Has it left?' } } },
});

describe('npm run ops -- tail', () => {
  let stage: StreamStage;
  let process: StreamProcess;
  let gateway: Server;
  let url: string;
  let tenant: StreamTenant;
  beforeAll(async () => {
    stage = await StreamStage.start();
    process = await stage.process();
    tenant = await stage.tenant();
    const api = makeApiHandler(stage.api.dependencies) as unknown as HttpHandler;
    gateway = makeGateway(() => api, {
      beside: (request, response) => answerStream(process.streams, request, response),
    });
    gateway.listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    gateway.close();
    gateway.closeAllConnections();
    await process.stop();
    await stage.stop();
  });

  const follow = (types?: string) => {
    const lines: string[] = [];
    const stop = new AbortController();
    const common = { url, key: tenant.key, after: undefined, colours: false, clock: systemClock };
    const done = tail({ ...common, types, say: (line) => lines.push(line), signal: stop.signal });
    return { lines, stop, done };
  };

  it('shows each event once, in its order, also when the connection breaks in between', async () => {
    const { lines, stop, done } = follow();
    await untilSo('the stream is open', () => process.streams.count === 1);
    await stage.receive(tenant, 3);
    await untilSo('three have come', () => lines.length === 3);
    gateway.closeAllConnections();
    await stage.receive(tenant, 2);
    const events = (): readonly string[] => lines.filter((line) => line.includes('message.received'));
    await untilSo('all have come', () => events().length === 5);
    stop.abort();
    await stage.receive(tenant, 1);
    await done;
    const { body } = await stage.api.call('GET', '/v1/events?limit=100', { key: tenant.key });
    const told = (body['data'] as { readonly data: { readonly messageId: string } }[]).map(
      ({ data }) => data.messageId,
    );

    expect(
      events()
        .slice(0, 5)
        .map((line) => /msg_\w+/.exec(line)?.[0]),
    ).toEqual(told.slice(0, 5));
  });

  it('says why it is refused, in one sentence', async () => {
    const wrong = { url, types: undefined, after: undefined, colours: false, clock: systemClock, say: () => undefined };

    await expect(tail({ ...wrong, key: `hf_tenant_${'x'.repeat(43)}` })).rejects.toThrow('No valid API key');
    await expect(tail({ ...wrong, key: tenant.key, types: 'message' })).rejects.toThrow('The stream was refused.');
  });
});

describe('a line of the tail', () => {
  it('says when, what, where, and how it begins', () => {
    expect(toLine(AN_EVENT, false)).toBe(
      '2026-08-01T12:00:05.000Z  message.received        con_1  {"content":{"type":"text","text":{"body":"Has it left?"}}}',
    );
  });

  it('has the colour of its family where there are colours, and obeys nothing that a stranger wrote', () => {
    const event = JSON.parse(AN_EVENT) as object;
    const hostile = JSON.stringify({ ...event, connectionId: '\u001b[2J', data: { text: '\u202e' } });

    expect(toLine(AN_EVENT, true)).toContain('\u001b[32mmessage.received');
    for (const obeyed of ['\u001b', '\u202e']) expect(toLine(hostile, false)).not.toContain(obeyed);
  });
});
