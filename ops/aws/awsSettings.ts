/** Where the SDK asks, and for how long. */
export interface AwsPlace {
  /** The one of the environment or of the profile when undefined. */
  readonly region?: string | undefined;
  /** AWS's own when undefined; tests name a stub. */
  readonly endpoint?: string | undefined;
}

/** The settings of every client with which a person's command asks AWS: each try ends, and so does each call. */
export function awsSettings({ region, endpoint }: AwsPlace) {
  return {
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  } as const;
}
