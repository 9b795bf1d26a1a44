import type { ProcessName } from '../access/processAccess.ts';

/**
 * The process that calls a store of the embedded stack. On AWS each of these has a role of its own; here each signs
 * under its own name, so that a proxy in front of the emulators can tell them apart. `stack` makes tables and queues, as
 * CloudFormation does.
 */
export type Caller = ProcessName | 'operations' | 'stack';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Credentials that the emulators accept, since they check none. The id of the access key is the caller's name. */
export function credentialsOf(caller: Caller): Credentials {
  return { accessKeyId: caller, secretAccessKey: 'local' };
}

/** The same settings, with the credentials of this caller for its clients. */
export function asCaller<Config extends object>(config: Config, caller: Caller): Config & { credentials: Credentials } {
  return { ...config, credentials: credentialsOf(caller) };
}

/** The caller's credentials as environment variables, for a process in which the SDK looks for them itself. */
export function environmentOf(caller: Caller): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey } = credentialsOf(caller);
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}
