/** How much of the history of an account is kept: nothing, what its phone gives each new device, or all that it has. */
export const historyPolicies = ['none', 'recent', 'full'] as const;
export type HistoryPolicy = (typeof historyPolicies)[number];
