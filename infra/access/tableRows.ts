import type { TableAccess, TableAction } from './processAccess.ts';

/** The partitions of the table Core whose keys begin so, with what may be done with them. */
export const core = (key: string, ...actions: readonly TableAction[]): TableAccess => ({
  table: 'core',
  keys: [`${key}#*`],
  actions,
});

/** What is due of exports and erasures, and the jobs of each tenant. */
export const archive = (...actions: readonly TableAction[]): TableAccess => ({
  table: 'core',
  keys: ['ARCHIVE', 'ARCHIVE#*'],
  actions,
});
