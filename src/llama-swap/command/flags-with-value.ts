/** Every flag of llama-server that takes the word behind it as its value, as `llama-server --help` tells (build 11669). */
const TAKING_ONE = `
  -t --threads -tb --threads-batch -C --cpu-mask -Cr --cpu-range --cpu-strict --prio --poll -Cb --cpu-mask-batch -Crb
  --cpu-range-batch --cpu-strict-batch --prio-batch --poll-batch -c --ctx-size -n --predict --n-predict -b
  --batch-size -ub --ubatch-size --keep --rope-scaling --rope-scale --rope-freq-base --rope-freq-scale --yarn-orig-ctx
  --yarn-ext-factor --yarn-attn-factor --yarn-beta-slow --yarn-beta-fast -ctk --cache-type-k -ctv --cache-type-v -dt
  --defrag-thold --rpc -lm --load-mode -lzm --lazy-mode --numa -dev --device -ot --override-tensor -ncmoe --n-cpu-moe
  --moe-cache-mib -ncffn --n-cpu-ffn -ngl --gpu-layers --n-gpu-layers -sm --split-mode -ts --tensor-split -mg
  --main-gpu -fitt --fit-target -fitc --fit-ctx --override-kv --lora --lora-scaled --control-vector
  --control-vector-scaled -m --model -mu --model-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file -hft
  --hf-token --log-file -lv --verbosity --log-verbosity --spec-draft-type-k -ctkd --cache-type-k-draft
  --spec-draft-type-v -ctvd --cache-type-v-draft --samplers -s --seed --sampler-seq --sampling-seq --temp
  --temperature --top-k --top-p --min-p --top-nsigma --top-n-sigma --xtc-probability --xtc-threshold --typical
  --typical-p --repeat-last-n --repeat-penalty --presence-penalty --frequency-penalty --dry-multiplier --dry-base
  --dry-allowed-length --dry-penalty-last-n --dry-sequence-breaker --adaptive-target --adaptive-decay --dynatemp-range
  --dynatemp-exp --mirostat --mirostat-lr --mirostat-ent -l --logit-bias --grammar --grammar-file -j --json-schema -jf
  --json-schema-file --spec-draft-hf -hfd -hfrd --hf-repo-draft --spec-draft-threads -td --threads-draft
  --spec-draft-threads-batch -tbd --threads-batch-draft --spec-draft-cpu-mask -Cd --cpu-mask-draft
  --spec-draft-cpu-range -Crd --cpu-range-draft --spec-draft-cpu-strict --cpu-strict-draft --spec-draft-prio
  --prio-draft --spec-draft-poll --poll-draft --spec-draft-cpu-mask-batch -Cbd --cpu-mask-batch-draft
  --spec-draft-cpu-strict-batch --cpu-strict-batch-draft --spec-draft-prio-batch --prio-batch-draft
  --spec-draft-poll-batch --poll-batch-draft --spec-draft-override-tensor -otd --override-tensor-draft
  --spec-draft-n-cpu-moe --spec-draft-ncmoe -ncmoed --n-cpu-moe-draft --spec-draft-n-max --spec-draft-n-min
  --spec-draft-n-ubatch --spec-synth-len --spec-synth-rates --spec-draft-p-split --draft-p-split --spec-draft-p-min
  --draft-p-min --spec-draft-sampling --spec-draft-device -devd --device-draft --spec-draft-ngl -ngld
  --gpu-layers-draft --n-gpu-layers-draft --spec-draft-model -md --model-draft --spec-type --spec-ngram-mod-n-min
  --spec-ngram-mod-n-max --spec-ngram-mod-n-match --spec-ngram-simple-size-n --spec-ngram-simple-size-m
  --spec-ngram-simple-min-hits --spec-ngram-map-k-size-n --spec-ngram-map-k-size-m --spec-ngram-map-k-min-hits
  --spec-ngram-map-k4v-size-n --spec-ngram-map-k4v-size-m --spec-ngram-map-k4v-min-hits --draft --draft-n --draft-max
  --draft-min --draft-n-min --spec-ngram-size-n --spec-ngram-size-m --spec-ngram-min-hits -lcs --lookup-cache-static
  -lcd --lookup-cache-dynamic --kv-unified-per-slot -ctxcp --ctx-checkpoints --swa-checkpoints -cms
  --checkpoint-min-step -cram --cache-ram -r --reverse-prompt --pooling -np --parallel -mm --mmproj -mmu --mmproj-url
  -mmdev --mmproj-device --image-min-tokens --image-max-tokens --mtmd-batch-max-tokens --video-fps
  --video-timestamp-interval --video-ffmpeg-dir -a --alias --tags --embd-normalize --host --port --path --cors-origins
  --cors-methods --cors-headers --api-prefix --ui-config --webui-config --ui-config-file --webui-config-file --tools
  --tools-runtime --mcp-servers-config --mcp-servers-json --api-key --api-key-file --ssl-key-file --ssl-cert-file
  --chat-template-kwargs -to --timeout --sse-ping-interval --threads-http --cache-reuse --slot-save-path --media-path
  --models-dir --models-preset --models-max --reasoning-format --reasoning-effort --reasoning-budget
  --reasoning-budget-message --chat-template --chat-template-file -sps --slot-prompt-similarity --sleep-idle-seconds
  --log-prompts-dir
`

/** Flags with a value that builds of other times know. */
const OTHER_BUILDS_TAKING_ONE = `
  -cd --ctx-size-draft -gan --grp-attn-n -gaw --grp-attn-w -ps --p-split -sf --slot-prompt-file -spf --system-prompt-file --draft-size
`

/** A value that builds of other times do not take: only one of these words is it. */
const TAKING_A_SWITCH = '-fa --flash-attn -fit --fit --log-colors -rea --reasoning'
const SWITCH = /^(?:on|off|auto|0|1|-1|true|false|enabled|disabled)$/

const TAKING_TWO = '--control-vector-layer-range'

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** By spelling, with hyphens. Exported for the test that holds it against the real program's help. */
export const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set(
  [TAKING_ONE, TAKING_A_SWITCH, TAKING_TWO].flatMap(words),
)

export const FLAGS_OF_OTHER_BUILDS: ReadonlySet<string> = new Set(words(OTHER_BUILDS_TAKING_ONE))

const ONE = new Set([TAKING_ONE, OTHER_BUILDS_TAKING_ONE].flatMap(words))
const A_SWITCH = new Set(words(TAKING_A_SWITCH))

/** How many of the words behind a flag are its values. */
export function valuesTaken(flag: string, next: string | undefined): 0 | 1 | 2 {
  if (flag === TAKING_TWO) return 2
  if (A_SWITCH.has(flag)) return next !== undefined && SWITCH.test(next) ? 1 : 0
  return ONE.has(flag) ? 1 : 0
}
