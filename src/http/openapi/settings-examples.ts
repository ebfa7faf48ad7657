/** What `npm start` answered on 2026-11-23 after a few questions to its simulated providers. */
export const SETTINGS = {
  customer: 'default',
  version: 2,
  created_at: '2026-11-23T18:27:22.871Z',
  created_by: '2674f6952c01',
  settings: {
    mode: 'route',
    tags: ['team'],
    provider_keys: {
      anthropic: {
        set: true,
      },
    },
  },
  effective: {
    tiers: {
      easy: ['anthropic/claude-haiku-5-5'],
      medium: ['anthropic/claude-sonnet-5-5'],
      hard: ['anthropic/claude-opus-5-5'],
    },
    allowed_models: [],
    model_map: {},
    mode: 'route',
    promise: 0.01,
    sampling_share: 0.1,
    retention_days: null,
    tags: ['team'],
    rules: [],
    handover: 'auto',
    baseline_model: 'anthropic/claude-opus-5-5',
    default_max_tokens: 16384,
    provider_keys: {
      anthropic: {
        set: true,
      },
    },
  },
  defaults: {
    tiers: {
      easy: ['anthropic/claude-haiku-5-5'],
      medium: ['anthropic/claude-sonnet-5-5'],
      hard: ['anthropic/claude-opus-5-5'],
    },
    allowed_models: [],
    model_map: {},
    mode: 'route',
    promise: 0.01,
    sampling_share: 0.1,
    retention_days: null,
    tags: [],
    rules: [],
    handover: 'auto',
    baseline_model: 'anthropic/claude-opus-5-5',
    default_max_tokens: 16384,
    provider_keys: {},
  },
};

export const VERSIONS = {
  data: [
    {
      version: 2,
      created_by: '2674f6952c01',
      settings: {
        mode: 'route',
        tags: ['team'],
        provider_keys: {
          anthropic: {
            set: true,
          },
        },
      },
      created_at: '2026-11-23T18:27:22.871Z',
    },
    {
      version: 1,
      created_by: '2674f6952c01',
      settings: {
        model_map: {
          'gpt-4o': 'auto',
        },
        rules: [
          {
            when: {
              tag: 'team=legal',
            },
            floor: 'hard',
          },
        ],
      },
      created_at: '2026-11-23T18:27:22.848Z',
    },
  ],
  next_cursor: null,
};

export const LIMITS = {
  data: [
    {
      requests_per_minute: 600,
      tokens_per_minute: null,
      usd_per_day: 20,
      usd_per_month: null,
      over_budget: 'refuse',
      updated_by: '2674f6952c01',
      key_id: null,
      tag: null,
      updated_at: '2026-11-27T04:18:22.941Z',
      today: { spent_usd: 0.0000355, reserved_usd: 0, ends_at: '2026-11-28T00:00:00.000Z' },
      this_month: null,
    },
    {
      requests_per_minute: 1,
      tokens_per_minute: 20000,
      usd_per_day: null,
      usd_per_month: null,
      over_budget: null,
      updated_by: '2674f6952c01',
      key_id: 'e16a845b4c00',
      tag: null,
      updated_at: '2026-11-27T04:18:22.980Z',
      today: null,
      this_month: null,
    },
  ],
};
