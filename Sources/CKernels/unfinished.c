// Weak symbols that let the package link until every operation is written.
#include <stddef.h>
__attribute__((weak)) void *gk_add(void) { return NULL; }
__attribute__((weak)) void *gk_gather_rows(void) { return NULL; }
__attribute__((weak)) void *gk_scatter_add_rows(void) { return NULL; }
__attribute__((weak)) void *gk_embedding(void) { return NULL; }
__attribute__((weak)) void *gk_embedding_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_rms_norm(void) { return NULL; }
__attribute__((weak)) void *gk_rms_norm_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_rope(void) { return NULL; }
__attribute__((weak)) void *gk_swiglu(void) { return NULL; }
__attribute__((weak)) void *gk_swiglu_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_attention(void) { return NULL; }
__attribute__((weak)) void *gk_attention_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_route(void) { return NULL; }
__attribute__((weak)) void *gk_route_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_sort_by_expert(void) { return NULL; }
__attribute__((weak)) void *gk_combine(void) { return NULL; }
__attribute__((weak)) void *gk_combine_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_ungather_add(void) { return NULL; }
__attribute__((weak)) void *gk_log_softmax(void) { return NULL; }
__attribute__((weak)) void *gk_log_softmax_gradient(void) { return NULL; }
__attribute__((weak)) void *gk_argmax(void) { return NULL; }
__attribute__((weak)) void *gk_sample(void) { return NULL; }
__attribute__((weak)) void *gk_sum_of_squares(void) { return NULL; }
__attribute__((weak)) void *gk_adamw(void) { return NULL; }
