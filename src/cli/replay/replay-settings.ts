import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { PricedProvider } from '../../core/accounting/price-book.ts';
import { PRIOR } from '../../core/difficulty/prior.ts';
import { type ScorerProfile, scorerProfile } from '../../core/difficulty/profile.ts';
import type { ReplaySettings } from '../../core/replay/replay.ts';
import { DEFAULT_TIERS } from '../../core/routing/catalog.ts';
import { readProviders, readTiers, resolveModel } from '../../env-providers.ts';
import { SettingsError } from '../../settings-error.ts';
import { CommandError, wrongUsage } from '../command-error.ts';
import { type Shell, setting } from '../shell.ts';

/** What decides a replay, checked. */
export interface ReplayOptions extends ReplaySettings {
  profile: ScorerProfile;
  /** The UTC day whose prices and models count, `YYYY-MM-DD`. */
  day: string;
  /** Most of the saving that measuring may take, 0 to 1. */
  oracleShare: number;
}

/** Flags as they were given. */
export interface ReplayFlags {
  tiers?: string | undefined;
  baseline?: string | undefined;
  profile?: string | undefined;
  prices?: string | undefined;
  at?: string | undefined;
  'oracle-share'?: string | undefined;
}

const usd = z.number().nonnegative();
const priceFlag = z.record(
  z.string(),
  z.strictObject({
    ...{ input: usd, output: usd },
    ...{ cache_read: usd.optional(), cache_write: usd.optional(), cache_write_long: usd.optional() },
  }),
);

/** @throws CommandError that names the flag or the variable */
export async function readReplayOptions(flags: ReplayFlags, shell: Shell): Promise<ReplayOptions> {
  const variables = { ...shell.variables, ...tierVariable(flags.tiers) };
  try {
    const providers = readProviders(variables);
    const tiers = readTiers(variables, providers);
    const name = flags.baseline ?? setting(shell, 'FLUX_BASELINE_MODEL');
    const baseline = name === undefined ? tiers.hard[0] : resolveModel(name, providers, null);
    if (!baseline) throw wrongUsage(`no provider has the model '${name}': write provider/model (--baseline)`);
    return {
      ...{ tiers, baseline, providers: withPrices(providers, flags.prices) },
      profile: flags.profile === undefined ? PRIOR : await readProfile(flags.profile),
      day: readDay(flags.at),
      oracleShare: readShare(flags['oracle-share'] ?? setting(shell, 'FLUX_ORACLE_SHARE') ?? '0.10'),
    };
  } catch (error) {
    if (error instanceof SettingsError) {
      throw wrongUsage(
        flags.tiers === undefined ? error.message : error.message.replace('FLUX_TIERS', '--tiers'),
      );
    }
    throw error;
  }
}

/** `--tiers` in the words of FLUX_TIERS: a preset's name stands for a provider's default tiers. */
function tierVariable(flag: string | undefined): Record<string, string> {
  if (flag === undefined) return {};
  if (flag !== 'anthropic' && flag !== 'openai') return { FLUX_TIERS: flag };
  const tiers = Object.entries(DEFAULT_TIERS[flag]);
  const named = tiers.map(([tier, models]) => [tier, models.map((model) => `${flag}/${model}`)]);
  return { FLUX_TIERS: JSON.stringify(Object.fromEntries(named)) };
}

/** The providers with the prices of `--prices`: by `provider/model`, or by the model's name alone for all of them. */
function withPrices(
  providers: ReadonlyMap<string, PricedProvider>,
  flag: string | undefined,
): ReadonlyMap<string, PricedProvider> {
  if (flag === undefined) return providers;
  const given = priceFlag.safeParse(parseJson(flag, '--prices'));
  if (!given.success) {
    const issue = given.error.issues[0];
    throw wrongUsage(`--prices at '${issue?.path.join('.') ?? ''}': ${issue?.message ?? 'not valid'}`);
  }
  const pricesFor = ({ id, prices }: PricedProvider) => {
    const ours = Object.entries(given.data).map(([name, price]) => {
      return [name.startsWith(`${id}/`) ? name.slice(id.length + 1) : name, price] as const;
    });
    return { ...prices, ...Object.fromEntries(ours) };
  };
  return new Map(
    [...providers].map(([id, provider]) => [id, { ...provider, prices: pricesFor(provider) }] as const),
  );
}

async function readProfile(path: string): Promise<ScorerProfile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw wrongUsage(`--profile ${path} can't be read`);
  }
  const parsed = scorerProfile.safeParse(parseJson(text, `--profile ${path}`));
  if (parsed.success) return parsed.data;
  throw new CommandError(`--profile ${path} is not a scorer profile: ${z.prettifyError(parsed.error)}`, 2);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrongUsage(`${name} is not JSON`);
  }
}

function readDay(flag: string | undefined): string {
  if (flag === undefined) return new Date().toISOString().slice(0, 10);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(flag) && !Number.isNaN(Date.parse(flag));
  if (!isDay) throw wrongUsage('--at must be a day, e.g. 2026-11-23');
  return flag;
}

function readShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1)) {
    throw wrongUsage('--oracle-share (FLUX_ORACLE_SHARE) must be a number from 0 to 1');
  }
  return share;
}
