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
  bias: -1.64,
  weights: {
    length: { size: 0.61, terse: -0.6 },
    reasoning: { deliberate: 0.72, rigor: 0.88, compose: 0.35, narrate: 0.06, negate: 0.73, plain: 1.03 },
    math: { numbers: 0.34, quantity: 0.08, formal: 0.48, notation: 0.1 },
    code: { topic: 0.07, build: 0.38, source: 0.25, intricate: 1.09 },
    lookup: { fact: -0.21, errand: -0.83, desk: -0.94, chat: -1.07, question: -1.1, science: -0.49 },
    constraints: { demands: 0.02, clauses: 0.29, items: 0.39 },
    loop: { deep: 0.5, failing: 0.8, stuck: 0.6 },
  },
  limit: 1.15,
  thresholds: { easy: 0.18, hard: 0.39 },
};
