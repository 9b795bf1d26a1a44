import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeQueueClient } from '../../../shared/platform/aws.ts';
import { aStoreConfig } from '../../emulators/storeConfig.ts';

const BODY = '{}';
const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

afterEach(() => vi.unstubAllEnvs());

describe('traces', () => {
  it('go on through a queue: in a function the SDK says whose call it is, and SQS hands that to the next function', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response
        .setHeader('content-type', 'application/x-amz-json-1.0')
        .end(JSON.stringify({ MessageId: '1', MD5OfMessageBody: createHash('md5').update(BODY).digest('hex') }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'test-ingest');
    vi.stubEnv('_X_AMZN_TRACE_ID', TRACE);
    const queue = makeQueueClient({ ...aStoreConfig({}), sqsEndpoint: endpoint });

    await queue.send(new SendMessageCommand({ QueueUrl: `${endpoint}/1/deliveries`, MessageBody: BODY }));

    queue.destroy();
    server.closeAllConnections();
    server.close();
    expect(seen.map((headers) => headers['x-amzn-trace-id'])).toEqual([TRACE]);
  });
});
