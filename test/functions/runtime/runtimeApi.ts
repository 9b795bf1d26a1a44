import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Posted {
  readonly path: string;
  readonly body: unknown;
  readonly errorType: string | undefined;
}

/** Lambda's Runtime API: gives the calls that it has, and then lets the function wait. */
export class RuntimeApi {
  readonly posted: Posted[] = [];
  readonly calls: unknown[] = [];
  readonly #server: Server = createServer((asked, answer) => {
    if (asked.url === '/2018-06-01/runtime/invocation/next') {
      const event = this.calls.shift();
      if (event === undefined) return;
      const id = String((this.#given += 1));
      answer.writeHead(200, { 'lambda-runtime-aws-request-id': id, 'lambda-runtime-trace-id': `Root=${id}` });
      answer.end(JSON.stringify(event));
      return;
    }
    void this.#note(asked).then(() => answer.writeHead(202).end());
  });
  #given = 0;

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #note(asked: IncomingMessage): Promise<void> {
    const errorType = asked.headers['lambda-runtime-function-error-type'];
    this.posted.push({
      path: asked.url ?? '',
      body: JSON.parse(await text(asked)),
      errorType: typeof errorType === 'string' ? errorType : undefined,
    });
  }
}
