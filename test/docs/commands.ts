import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { experimental_getWranglerCommands } from 'wrangler';
import { ROOT } from './blocks.ts';

/** Commands that a block may show and a test does not run: they start servers, take minutes or need an account. */
const CHECKED_BY_NAME = /^(npm|npx|wrangler)\b/;

/**
 * What is wrong with a command that is not run here: a script, sub-command, flag or file that does not exist.
 * @returns undefined for a command that can be run; null for one that stands
 */
export function faultOf(command: string): string | null | undefined {
  // Variables before a command, and what it is piped from or to, are the shell's.
  const words = command.replace(/^(\w+=\S*\s+)+/, '').split(/\s+/);
  if (!CHECKED_BY_NAME.test(words[0] ?? '')) return undefined;
  const end = words.findIndex((word) => /^([|<>]|&&|\d?>)/.test(word));
  const own = end === -1 ? words : words.slice(0, end);
  const rest = words.slice(end + 1).join(' ');
  const next = end !== -1 && /^(\||&&)$/.test(words[end] ?? '') ? faultOf(rest) : null;
  return faultIn(own) ?? next ?? null;
}

function faultIn(words: string[]): string | null {
  const [program, ...args] = words;
  if (program === 'wrangler') return wranglerFault(args);
  if (program === 'npx') {
    const [tool, ...more] = args;
    if (tool === 'wrangler') return wranglerFault(more);
    if (tool === 'node') return existsSync(join(ROOT, more[0] ?? '')) ? null : `no file ${more[0]}`;
    return `npx ${tool}: neither wrangler nor node`;
  }
  return npmFault(args);
}

const PACKAGE: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);

function npmFault(args: string[]): string | null {
  const dashes = args.indexOf('--');
  const flags = dashes === -1 ? [] : args.slice(dashes + 1);
  const [verb, name] = args
    .slice(0, dashes === -1 ? undefined : dashes)
    .filter((arg) => !arg.startsWith('-'));
  if (verb === 'ci' || verb === 'install') return null;
  const script = verb === 'run' ? name : verb;
  const line = script === undefined ? undefined : PACKAGE.scripts[script];
  if (line === undefined) return `package.json has no script '${script}'`;
  if (script === 'flux') return fluxFault(flags);
  if (script === 'deploy') return wranglerFault(['deploy', ...flags]);
  const file = /\bnode (\S+\.ts)/.exec(line)?.[1];
  return file === undefined ? null : flagFault(sourceBeside(file), flags, script ?? '');
}

/** Read from the source rather than from `--help`: that is a process each. */
function fluxFault([name = '', ...args]: string[]): string | null {
  const file = `src/cli/${name}.ts`;
  const listed = readFileSync(join(ROOT, 'src/cli/flux.ts'), 'utf8').includes(`./${name}.ts'`);
  if (!listed || !existsSync(join(ROOT, file))) return `flux has no command '${name}'`;
  const source = sourceBeside(file);
  const [sub] = args;
  // `keys create`, `dlq list`: the usage in their help names them.
  if (sub !== undefined && /^[a-z]+$/.test(sub) && !source.includes(`flux ${name} ${sub}`)) {
    return `flux ${name} has no '${sub}'`;
  }
  return flagFault(source, args, `flux ${name}`);
}

/** The file and those in the folder of its name: where a bench reads its flags. */
function sourceBeside(file: string): string {
  const folder = join(ROOT, dirname(file), file.replace(/^.*\/|\.ts$/g, ''));
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return [join(ROOT, file), ...files].map((name) => readFileSync(name, 'utf8')).join('\n');
}

function flagFault(text: string, args: string[], name: string): string | null {
  const unknown = args.find((arg) => {
    const flag = /^--([a-z-]+)/.exec(arg)?.[1];
    return flag !== undefined && flag !== 'help' && !new RegExp(`(--|['"\\s])${flag}\\b`).test(text);
  });
  return unknown === undefined ? null : `${name} takes no ${unknown}`;
}

const { registry, globalFlags } = experimental_getWranglerCommands();

function wranglerFault(args: string[]): string | null {
  let node = registry;
  const path: string[] = [];
  for (const word of args) {
    const below = node.subtree.get(word);
    if (!below) break;
    node = below;
    path.push(word);
  }
  const definition = node.definition;
  if (path.length === 0 || definition?.type !== 'command')
    return `wrangler ${args.join(' ')}: no such command`;
  const flags = new Set<string>();
  for (const [flag, one] of Object.entries({ ...globalFlags, ...definition.args })) {
    for (const name of [flag, 'alias' in one ? one.alias : []].flat()) if (name) flags.add(name);
  }
  const unknown = args
    .map((arg) => /^--?([a-z][a-z-]*)/.exec(arg)?.[1])
    .find((flag) => flag !== undefined && !flags.has(flag));
  return unknown === undefined ? null : `wrangler ${path.join(' ')} takes no --${unknown}`;
}
