import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a host does with a request. @param place the number of requests for the same path before it */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, place: number) => void;

/** A host of files on loopback, which behaves by path as a test says. */
export class FileHost {
  readonly #server = createServer((request, response) => {
    const path = request.url ?? '';
    const place = this.requests.filter((one) => one.path === path).length;
    this.requests.push({ path, range: request.headers.range });
    const behaviour = this.#behaviours.get(path);
    if (behaviour === undefined) response.writeHead(404).end();
    else behaviour(request, response, place);
  });
  readonly #behaviours = new Map<string, Behaviour>();
  readonly requests: { readonly path: string; readonly range: string | undefined }[] = [];

  static async start(): Promise<FileHost> {
    const host = new FileHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  behave(path: string, behaviour: Behaviour): void {
    this.#behaviours.set(path, behaviour);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Gives bytes as a host does that takes ranges. */
export function giving(bytes: Uint8Array): Behaviour {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': rest.length }).end(rest);
  };
}

/** Breaks off after some bytes, the first times; then gives the rest. */
export function breakingOff(bytes: Uint8Array, after: number, times: number): Behaviour {
  return (request, response, place) => {
    if (place >= times) return giving(bytes)(request, response, place);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': rest.length });
    response.write(rest.subarray(0, after), () => setTimeout(() => response.destroy(), 20));
  };
}

export const answering =
  (status: number): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { location: 'http://169.254.169.254/latest/meta-data/' }).end('no');
  };
