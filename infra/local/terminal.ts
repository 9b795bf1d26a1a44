import { LRUCache } from 'lru-cache';
import { ConnectionStore } from '../../shared/connection/connectionStore.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { forTerminal } from '../../shared/kernel/forTerminal.ts';
import { withDeadline } from '../../shared/kernel/deadline.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { Scope } from '../../shared/kernel/scope.ts';
import { makeDocumentClient } from '../../shared/platform/aws.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import type { Trouble } from './trouble.ts';
import { timeOf, TroubleTeller } from './troubleTeller.ts';

/**
 * How long a look-up of a label may take, in milliseconds. A person reads along: when no answer comes soon, the id is
 * shown instead.
 */
const LABEL_WITHIN_MS = 500;
const LABELS_KEPT = 1_000;
/** How long a label is kept, in milliseconds, as it can be changed. */
const LABEL_MS = 60_000;

/** The lines that the embedded stack prints for a person while it runs. */
export class Terminal {
  readonly #say: (line: string) => void;
  readonly #scope = new Scope('terminal');
  readonly #labels = new LRUCache<string, { readonly label: string | undefined }>({ max: LABELS_KEPT, ttl: LABEL_MS });
  readonly #teller: TroubleTeller;
  #connections: Pick<ConnectionStore, 'find'> | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
    this.#teller = new TroubleTeller({
      say,
      nowMs: systemClock.nowMs,
      scope: this.#scope,
      labelOf: (connection) => this.#labelOf(connection),
    });
  }

  /** Prints a line about something that happened just now. */
  readonly say = (line: string): void => this.#say(`${timeOf(systemClock.nowMs())}  ${line}`);

  readonly tell = (trouble: Trouble): void => this.#teller.tell(trouble);

  /** Makes later lines name connections by their labels. */
  findLabelsIn(config: StoreConfig): void {
    const table = makeDocumentClient(config);
    this.#scope.hold('socket', () => table.destroy());
    this.#connections = new ConnectionStore({ table, stage: config.stage });
  }

  /** Resolves when everything passed in before has been printed; nothing is printed afterwards. */
  async stop(): Promise<void> {
    await this.#teller.settled();
    await this.#scope.close();
  }

  async #labelOf({ tenantId, connectionId }: NonNullable<Trouble['connection']>): Promise<string | undefined> {
    const known = this.#labels.get(connectionId);
    if (known !== undefined) return known.label;
    const connections = this.#connections;
    if (connections === undefined) return undefined;
    const found = await withDeadline('a look at a label', LABEL_WITHIN_MS, () =>
      connections.find(tenantId as TenantId, connectionId as ConnectionId),
    ).catch(() => undefined);
    const label = found?.label === undefined ? undefined : forTerminal(found.label);
    this.#labels.set(connectionId, { label });
    return label;
  }
}
