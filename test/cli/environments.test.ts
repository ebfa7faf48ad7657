import { expect, test } from 'vitest';
import { DEFAULT_CONFIG, readDeployment } from '../../src/cli/deployment.ts';

test('the environments of wrangler.toml are bound as the top level is, under names of their own', async () => {
  const { unstable_readConfig } = await import('wrangler');
  const configOf = (env?: string) => {
    const {
      name,
      definedEnvironments,
      targetEnvironment,
      userConfigPath,
      configPath,
      topLevelName,
      ...config
    } = unstable_readConfig({ config: DEFAULT_CONFIG, ...(env ? { env } : {}) }, { hideWarnings: true });
    return { name, environments: definedEnvironments, rest: JSON.stringify(config) };
  };
  const top = configOf();
  expect(top.environments).toEqual(['staging', 'production']);
  for (const environment of top.environments ?? []) {
    const { name, rest } = configOf(environment);
    expect(name).toBe(`fluxcompute-${environment}`);
    expect(rest.replaceAll(`fluxcompute-${environment}`, 'fluxcompute')).toBe(top.rest);
    const { queues } = await readDeployment(DEFAULT_CONFIG, environment);
    // The Worker knows its dead-letter queue by the end of the name.
    expect(queues).toEqual({
      log: `${name}-log`,
      dead: `${name}-log-dead`,
      consumed: [`${name}-log`, `${name}-log-dead`],
    });
  }
}, 60_000);
