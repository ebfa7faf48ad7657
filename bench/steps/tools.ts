import type { FunctionTool, Trajectory } from './trajectory.ts';

/** What was seen of one value in all calls: its types, and what its members and items look like. */
interface Seen {
  types: Set<string>;
  objects: number;
  members: Map<string, { times: number; seen: Seen }>;
  items: Seen | undefined;
}

type Schema = Record<string, unknown>;

/**
 * Tools as the recorded calls show them: every name that was called anywhere, with a JSON schema of the arguments it
 * was given. Required is what every call gave. Trajectories that brought tools of their own keep those.
 */
export function makeTools(trajectories: readonly Trajectory[]): FunctionTool[] {
  const tools = new Map<string, Seen>();
  for (const message of trajectories.flatMap(({ messages }) => messages)) {
    if (message.role !== 'assistant') continue;
    for (const { function: called } of message.tool_calls) {
      const seen = tools.get(called.name) ?? nothingSeen();
      tools.set(called.name, seen);
      observe(seen, JSON.parse(called.arguments || '{}'));
    }
  }
  return [...tools].sort(byName).map(([name, seen]) => ({
    type: 'function',
    function: {
      name,
      description: name.replaceAll('_', ' '),
      parameters: { type: 'object', properties: {}, ...schemaOf(seen) },
    },
  }));
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function nothingSeen(): Seen {
  return { types: new Set(), objects: 0, members: new Map(), items: undefined };
}

function observe(seen: Seen, value: unknown): void {
  if (Array.isArray(value)) {
    seen.types.add('array');
    seen.items ??= nothingSeen();
    for (const item of value) observe(seen.items, item);
  } else if (value !== null && typeof value === 'object') {
    seen.types.add('object');
    seen.objects += 1;
    for (const [name, member] of Object.entries(value)) {
      const known = seen.members.get(name) ?? { times: 0, seen: nothingSeen() };
      seen.members.set(name, known);
      known.times += 1;
      observe(known.seen, member);
    }
  } else seen.types.add(value === null ? 'null' : typeof value);
}

function schemaOf(seen: Seen): Schema {
  const types = [...seen.types].sort();
  const schema: Schema = types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types };
  if (seen.types.has('array')) schema.items = schemaOf(seen.items ?? nothingSeen());
  if (seen.types.has('object')) {
    schema.properties = Object.fromEntries(
      [...seen.members].map(([name, one]) => [name, schemaOf(one.seen)]),
    );
    schema.required = [...seen.members].filter(([, one]) => one.times === seen.objects).map(([name]) => name);
  }
  return schema;
}
