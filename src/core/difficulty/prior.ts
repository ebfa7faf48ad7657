import type { ScorerProfile } from './profile.ts';

/**
 * The scorer that ships, for customers of whom nothing is measured yet (basis `prior`).
 *
 * Weights: `node bench/fit-prior.ts DIR` (it prints them, and the AUC on held-out rows), with DIR holding the RouteLLM
 * labels (MMLU, GSM8K: Mixtral-8x7B against GPT-4) and the BFCL ones (small against large models, 2024); 6,849 rows
 * and the 100 prompts of bench/anchors.jsonl, which also set the bias. The loop's weights are assumptions
 * (bench/prior-assumptions.ts): no labelled data has loops.
 *
 * So the score ranks; as a chance it is that of 2024's models, and today's fail less. Thresholds: where they part the
 * anchors, with what a family may add at most (`limit`) too little to reach `hard` alone (T7).
 */
export const PRIOR: ScorerProfile = {
  version: 0,
  bias: -1.63,
  weights: {
    length: { size: 0.6, terse: -0.6 },
    reasoning: { deliberate: 0.74, rigor: 0.86, compose: 0.32, narrate: 0.04, negate: 0.74, plain: 1.05 },
    math: { numbers: 0.33, quantity: 0.08, formal: 0.43, notation: 0.12 },
    code: { topic: 0.07, build: 0.39, source: 0.24, intricate: 1 },
    lookup: { fact: -0.21, errand: -0.86, desk: -0.99, chat: -1.11, question: -1.11, science: -0.49 },
    constraints: { demands: 0.04, clauses: 0.28, items: 0.39 },
    loop: { deep: 0.5, failing: 0.8, stuck: 0.6 },
  },
  limit: 1.15,
  thresholds: { easy: 0.19, hard: 0.39 },
};
