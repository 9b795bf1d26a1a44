import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a host does with an upload: takes it, of a channel without its handle, answers with a status, says something odd, breaks off, or says nothing. */
export type Doing = 'take' | 'no_handle' | number | 'no_place' | 'no_json' | 'endless' | 'cut' | 'hang';

export interface TakenUpload {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly sha256: string;
  readonly bytes: number;
  readonly body: Buffer;
}

/** A host that takes files on loopback, as WhatsApp's do, and does otherwise as a test says. */
export class UploadHost {
  readonly uploads: TakenUpload[] = [];
  /** What it does with the next uploads; then it takes them. */
  readonly doing: Doing[] = [];
  readonly #server = createServer((request, response) => {
    const doing = this.doing.shift() ?? 'take';
    const url = new URL(request.url ?? '/', 'http://host');
    if (doing === 'cut') {
      request.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const sha256 = createHash('sha256').update(body).digest('base64url');
      this.uploads.push({ path: url.pathname, query: url.searchParams, sha256, bytes: body.length, body });
      if (doing === 'hang') return;
      if (typeof doing === 'number') response.writeHead(doing, { location: 'http://169.254.169.254/' }).end('{}');
      else if (doing === 'no_place') response.end('{}');
      else if (doing === 'no_json') response.end('<html>');
      else if (doing === 'endless') response.end('x'.repeat(200_000));
      else {
        const isNamed = url.pathname.startsWith('/newsletter/') && doing !== 'no_handle';
        const handle = isNamed ? { handle: `handle of ${sha256}` } : {};
        const place = { url: `https://mmg.whatsapp.net/v/${sha256}`, direct_path: `/v/${sha256}` };
        response.end(JSON.stringify({ ...place, ...handle }));
      }
    });
  });

  static async start(): Promise<UploadHost> {
    const host = new UploadHost();
    await new Promise<void>((resolve) => host.#server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get name(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `http://${this.name}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
