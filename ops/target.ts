import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ApiClient } from '../infra/local/apiClient.ts';
import { opsConfig } from '../shared/platform/config.ts';
import type { OpsConfig } from '../shared/platform/opsConfig.ts';
import type { StoreConfig } from '../shared/platform/storeConfig.ts';
import type { Environment } from '../shared/platform/environment.ts';
import { BadInput } from './sentence.ts';

/** The Holdfast that is operated: its API, and its stores for whatever the API does not show. */
export interface Target {
  /** The API's address and a client. Throws BadInput when nothing says where the API is or whose key to use. */
  readonly api: () => { readonly url: string; readonly client: ApiClient };
  /** The settings of the stores. Throws BadInput when no stage is named. */
  readonly stores: () => StoreConfig;
  readonly hasApi: boolean;
  readonly hasStores: boolean;
  /** The environment of a process with the worker's configuration; undefined where the operator must provide it. */
  readonly restoreEnvironment: Environment | undefined;
}

const FLAG_SETTINGS = {
  url: 'HOLDFAST_API_URL',
  'key-file': 'HOLDFAST_OPERATOR_KEY_FILE',
  stage: 'HOLDFAST_STAGE',
  'queue-url-base': 'HOLDFAST_QUEUE_URL_BASE',
  region: 'AWS_REGION',
} as const;

/** The contents of the embedded stack's `addresses.json`. */
const addressesSchema = z.record(z.string(), z.string());
const DEFAULT_DATA = resolve(import.meta.dirname, '../.holdfast');
/** The emulators check no credentials. The id of the access key says who calls (infra/local/callers.ts). */
const EMBEDDED_CREDENTIALS = { accessKeyId: 'operations', secretAccessKey: 'local' } as const;

/**
 * Finds the Holdfast that flags and environment name, or else the embedded stack of this machine. The two are never
 * mixed: dead letters must not be sent to another stage's queues. Throws BadInput with one sentence.
 */
export function findTarget(flags: Environment, environment?: Environment): Target {
  const named = readConfig(flagSettings(flags), environment);
  if (flags['data'] === undefined && (named.apiUrl !== undefined || named.stores !== undefined)) return toTarget(named);
  const clash = Object.keys(FLAG_SETTINGS).find((flag) => flags[flag] !== undefined);
  if (flags['data'] !== undefined && clash !== undefined) {
    throw new BadInput(`Give --data for an embedded stack or --${clash} for another one, not both.`);
  }
  if (clash !== undefined) {
    const complete = 'Give --url with --key-file, or --stage with --queue-url-base.';
    throw new BadInput(
      `--${clash} alone names no Holdfast. ${complete} Without any of them the embedded stack is meant.`,
    );
  }
  const folder = resolve(flags['data'] ?? DEFAULT_DATA);
  const addresses = join(folder, 'addresses.json');
  if (!existsSync(addresses)) {
    if (flags['data'] !== undefined)
      throw new BadInput(
        `No embedded stack runs on ${folder}: start it with npm start -- --data ${folder}, or name another with --data.`,
      );
    return toTarget(named);
  }
  const settings: Record<string, string> = {
    ...addressesSchema.parse(JSON.parse(readFileSync(addresses, 'utf8'))),
    HOLDFAST_OPERATOR_KEY_FILE: join(folder, 'operator-key'),
  };
  const embedded = readConfig(settings, environment);
  const { HOLDFAST_API_URL: _, HOLDFAST_OPERATOR_KEY_FILE: __, ...stores } = settings;
  return {
    ...toTarget(
      embedded.stores === undefined
        ? embedded
        : { ...embedded, stores: { ...embedded.stores, credentials: EMBEDDED_CREDENTIALS } },
    ),
    restoreEnvironment: {
      ...stores,
      HOLDFAST_KEY_FILE: join(folder, 'root-key'),
      HOLDFAST_TASK_ID: 'restore',
      AWS_ACCESS_KEY_ID: 'restore',
      AWS_SECRET_ACCESS_KEY: EMBEDDED_CREDENTIALS.secretAccessKey,
    },
  };
}

/** Reads a key from a file. Throws BadInput when there is none. */
export function readKeyFile(file: string): string {
  if (!existsSync(file)) throw new BadInput(`There is no key file ${file}.`);
  if (!statSync(file).isFile()) throw new BadInput(`${file} is no file. Name one that holds an API key.`);
  const key = readFileSync(file, 'utf8').trim();
  if (!/^hf_(operator|tenant)_/.test(key)) throw new BadInput(`${file} does not hold an API key of Holdfast.`);
  return key;
}

function toTarget({ apiUrl, operatorKeyFile, stores }: OpsConfig): Target {
  return {
    hasApi: apiUrl !== undefined,
    hasStores: stores !== undefined,
    restoreEnvironment: undefined,
    api: () => {
      if (apiUrl === undefined) {
        throw new BadInput(
          'No Holdfast is named: start the embedded one with npm start, name the folder of one that runs on another with --data DIR, or give --url and --key-file.',
        );
      }
      if (operatorKeyFile === undefined) {
        throw new BadInput('No operator key is named: give --key-file, or set HOLDFAST_OPERATOR_KEY_FILE.');
      }
      const url = apiUrl.replace(/\/$/, '');
      return { url, client: new ApiClient(url, readKeyFile(operatorKeyFile)) };
    },
    stores: () => {
      if (stores === undefined) {
        throw new BadInput(
          'No stage is named: give --stage and --queue-url-base, or the folder of an embedded stack with --data DIR.',
        );
      }
      return stores;
    },
  };
}

function flagSettings(flags: Environment): Environment {
  return Object.fromEntries(
    Object.entries(FLAG_SETTINGS).flatMap(([flag, name]) =>
      flags[flag] === undefined ? [] : ([[name, flags[flag]]] as const),
    ),
  );
}

/** The configuration's own error has several lines; this gives one. */
function readConfig(settings: Environment, environment: Environment | undefined): OpsConfig {
  try {
    return environment === undefined ? opsConfig(settings) : opsConfig(settings, environment);
  } catch (error) {
    throw new BadInput(
      (error as Error).message
        .split('\n')
        .map((line) => line.trim())
        .join(' '),
      { cause: error },
    );
  }
}
