// One measurement of llama.cpp on a GGUF file; benchmark.py runs it beside the engine's.
//
//   llama_peer MODEL.gguf WORK ROUNDS THREADS [plain|flash]
//
// WORK: generate (32 sequences, prompts of 10 tokens, 64 new ones each), generate1 (one of 256), prompt (one of 512). As
// llama-batched-bench does it, with what favours llama.cpp: the next tokens are drawn from a counter, so that no time
// goes to sampling; the whole prompt is one batch; keys and values are kept in float16, its default. The last argument
// is the kind of attention. Prints a line of JSON a round, and peak memory at the end.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "llama.h"

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void fail(const char *message) {
  std::fprintf(stderr, "llama_peer: %s\n", message);
  std::exit(1);
}

static llama_token any_token(int32_t vocabulary) {
  static uint32_t state = 1;
  state = state * 1103515245u + 12345u;
  return 2 + static_cast<llama_token>((state >> 8) % (vocabulary - 2));
}

static void add(llama_batch &batch, llama_token token, int position, int sequence, bool wants_logits) {
  const int i = batch.n_tokens++;
  batch.token[i] = token;
  batch.pos[i] = position;
  batch.n_seq_id[i] = 1;
  batch.seq_id[i][0] = sequence;
  batch.logits[i] = wants_logits;
}

static void decode(llama_context *context, llama_batch &batch) {
  if (llama_decode(context, batch) != 0) fail("llama_decode failed");
  // The logits of every row that asked for them are there when this returns.
  if (!llama_get_logits_ith(context, -1)) fail("no logits");
  batch.n_tokens = 0;
}

int main(int argc, char **argv) {
  if (argc < 5) fail("usage: llama_peer MODEL.gguf WORK ROUNDS THREADS [plain|flash]");
  const std::string work = argv[2];
  const int rounds = std::atoi(argv[3]), threads = std::atoi(argv[4]);
  const bool flash = argc > 5 && std::strcmp(argv[5], "flash") == 0;
  const int sequences = work == "generate" ? 32 : 1;
  const int prompt = work == "prompt" ? 512 : 10;
  const int fresh = work == "generate" ? 64 : work == "generate1" ? 256 : 0;

  llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
  llama_backend_init();
  llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (!model) fail("the model could not be loaded");
  const int32_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));

  llama_context_params params = llama_context_default_params();
  params.n_ctx = sequences * 256 > 512 ? sequences * 256 : 1024;
  params.n_batch = params.n_ubatch = 512;
  params.n_seq_max = sequences;
  params.n_threads = params.n_threads_batch = threads;
  params.flash_attn_type = flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.no_perf = true;
  llama_context *context = llama_init_from_model(model, params);
  if (!context) fail("no context");
  llama_batch batch = llama_batch_init(512, 0, 1);

  const auto body = [&] {
    llama_memory_clear(llama_get_memory(context), false);
    for (int s = 0; s < sequences; s++) {
      for (int i = 0; i < prompt; i++) add(batch, any_token(vocabulary), i, s, i == prompt - 1);
    }
    decode(context, batch);
    for (int i = 0; i + 1 < fresh; i++) {  // the prompt's logits gave the first
      for (int s = 0; s < sequences; s++) add(batch, any_token(vocabulary), prompt + i, s, true);
      decode(context, batch);
    }
  };
  body();  // to warm up
  for (int round = 0; round < rounds; round++) {
    const double begun = now();
    int times = 0;
    do {
      body();
      times++;
    } while (now() - begun < 1.5);
    std::printf("{\"seconds\": %.9f, \"tokens\": %d}\n", (now() - begun) / times, fresh ? sequences * fresh : prompt);
    std::fflush(stdout);
  }
  FILE *status = std::fopen("/proc/self/status", "r");
  char line[256];
  long peak = 0;
  while (status && std::fgets(line, sizeof line, status)) std::sscanf(line, "VmHWM: %ld", &peak);
  std::printf("{\"peak_kilobytes\": %ld}\n", peak);
  llama_batch_free(batch);
  llama_free(context);
  llama_model_free(model);
}
