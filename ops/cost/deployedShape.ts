import { shapes, type ShapeName } from '../../infra/settings/shapes.ts';
import { defaultFigures, type AssumptionName, type Figures } from './assumptions.ts';

/** The connections that each shape is made for. */
export const madeFor: Readonly<Record<ShapeName, number>> = { small: 400, '10k': 10_000, '100k': 100_000 };

/** What the templates of each shape have to watch with, as it is billed; a test counts them there. */
const watching: Readonly<Record<ShapeName, { readonly alarms: number; readonly dashboards: number }>> = {
  small: { alarms: defaultFigures.alarms, dashboards: defaultFigures.dashboards },
  '10k': { alarms: 258, dashboards: 8 },
  '100k': { alarms: 258, dashboards: 8 },
};

const MIB_PER_GIB = 1_024;
const CPU_UNITS = 1_024;

/** The shape that a stage of so many connections is deployed in: the largest that is made for no more than these. */
export function shapeOf(connections: number): ShapeName {
  const names = Object.keys(madeFor) as ShapeName[];
  return names.findLast((name) => madeFor[name] <= connections) ?? 'small';
}

/** What a shape deploys, in the place of the assumptions that stand for it. */
export function figuresOfShape(name: ShapeName): Pick<Figures, DeployedFigure> {
  const { workers, workerCpu, workerMemoryMib, shardCount, shardCap, backupDays } = shapes[name];
  return {
    leastWorkers: workers,
    workerCpus: workerCpu / CPU_UNITS,
    workerGb: workerMemoryMib / MIB_PER_GIB,
    leastShards: shardCount,
    shardCap,
    backupDays,
    ...watching[name],
  };
}

type DeployedFigure = Extract<
  AssumptionName,
  'leastWorkers' | 'workerCpus' | 'workerGb' | 'leastShards' | 'shardCap' | 'backupDays' | 'alarms' | 'dashboards'
>;

/** The figures of a stage in a shape; without one, in the shape that fits so many connections. */
export function figuresFor(connections: number, shape: ShapeName = shapeOf(connections)): Figures {
  return { ...defaultFigures, ...figuresOfShape(shape) };
}
