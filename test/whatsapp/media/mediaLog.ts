/** One request that a media host got. */
export interface LoggedRequest {
  readonly at: number;
  readonly on: 'upload' | 'download' | 'resume' | 'delete';
  /** 0 for the first host, 1 for the second. */
  readonly host: number;
  /** What it was answered with; 0 when there was no answer, or when it broke off. */
  readonly status: number;
  readonly type: string;
  /** The account that uploads, or that uploaded what is fetched; empty when nobody knows. */
  readonly number: string;
  /** Hash of what lies there, in hex; empty when nobody knows. */
  readonly sha256: string;
  /** Bytes of the body that went over the wire. */
  readonly bytes: number;
  readonly range: string | undefined;
  readonly origin: string | undefined;
}

/** What happened to one file, by the hash of what lies there. */
export interface FileCount {
  readonly sha256: string;
  readonly uploads: number;
  readonly downloads: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

export interface MediaStats {
  /** Uploads that were taken, and downloads that went to their end; `bytes` count what broke off, too. */
  readonly uploads: number;
  readonly downloads: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** Requests that were answered with an error, or with none, by the status; 0 when they broke off. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Queries for hosts and token, per account. */
  readonly connections: Readonly<Record<string, number>>;
  /** Requests of linked devices to their phone to upload a file again, per account. */
  readonly againRequests: Readonly<Record<string, number>>;
  readonly files: readonly FileCount[];
}

const MOST_REQUESTS = 2_000;
const MOST_FILES = 10_000;

/** What the media hosts have done since the process started. */
export class MediaLog {
  readonly #requests: LoggedRequest[] = [];
  readonly #files = new Map<string, FileCount>();
  readonly #refusals: Record<string, number> = {};
  readonly #connections: Record<string, number> = {};
  readonly #againRequests: Record<string, number> = {};
  readonly #sums = { uploads: 0, downloads: 0, uploadedBytes: 0, downloadedBytes: 0 };

  note(request: Omit<LoggedRequest, 'at'>): void {
    this.#requests.push({ at: Date.now(), ...request });
    if (this.#requests.length > MOST_REQUESTS) this.#requests.shift();
    const isGood = request.status >= 200 && request.status < 300;
    if (!isGood) this.#refusals[request.status] = (this.#refusals[request.status] ?? 0) + 1;
    if (request.on !== 'upload' && request.on !== 'download') return;
    const done = isGood ? 1 : 0;
    const added =
      request.on === 'upload'
        ? { uploads: done, downloads: 0, uploadedBytes: request.bytes, downloadedBytes: 0 }
        : { uploads: 0, downloads: done, uploadedBytes: 0, downloadedBytes: request.bytes };
    Object.assign(this.#sums, sum(this.#sums, added));
    const known = this.#files.get(request.sha256);
    if (request.sha256 === '' || (known === undefined && this.#files.size >= MOST_FILES)) return;
    this.#files.set(request.sha256, { sha256: request.sha256, ...sum(known ?? NONE, added) });
  }

  countConnection(number: string): void {
    this.#connections[number] = (this.#connections[number] ?? 0) + 1;
  }

  countAgainRequest(number: string): void {
    this.#againRequests[number] = (this.#againRequests[number] ?? 0) + 1;
  }

  requests(): readonly LoggedRequest[] {
    return this.#requests;
  }

  stats(): MediaStats {
    return {
      ...this.#sums,
      refusals: this.#refusals,
      connections: this.#connections,
      againRequests: this.#againRequests,
      files: [...this.#files.values()],
    };
  }
}

type Sums = Omit<FileCount, 'sha256'>;
const NONE: Sums = { uploads: 0, downloads: 0, uploadedBytes: 0, downloadedBytes: 0 };

function sum(one: Sums, other: Sums): Sums {
  return {
    uploads: one.uploads + other.uploads,
    downloads: one.downloads + other.downloads,
    uploadedBytes: one.uploadedBytes + other.uploadedBytes,
    downloadedBytes: one.downloadedBytes + other.downloadedBytes,
  };
}
