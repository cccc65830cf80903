#include <math.h>
#include <string.h>

#include "naive.h"

static uint32_t mixed(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352d;
  x = (x ^ x >> 15) * 0x846ca68b;
  return x ^ x >> 16;
}

void naive_round_moments(
  const float *m, const float *v, uint16_t *m_half, uint16_t *v_half, size_t first, size_t count, uint32_t number) {
  for (size_t i = 0; i < count; i++) {
    uint32_t chances = mixed((uint32_t)(first + i) ^ mixed(number)), m_bits, v_bits;
    memcpy(&m_bits, m + i, 4);
    memcpy(&v_bits, v + i, 4);
    m_half[i] = (uint16_t)((m_bits + chances % 65536) / 65536);
    v_half[i] = (uint16_t)((v_bits + chances / 65536) / 65536);
  }
}

void naive_adamw(double *w, const double *g, double *m, double *v, size_t count, const gk_adamw_step *step) {
  for (size_t i = 0; i < count; i++) {
    double gradient = step->gradient_scale * g[i];
    w[i] -= step->learning_rate * step->weight_decay * w[i];
    m[i] = step->beta1 * m[i] + (1 - step->beta1) * gradient;
    v[i] = step->beta2 * v[i] + (1 - step->beta2) * gradient * gradient;
    double m_hat = m[i] / step->bias_correction1, v_hat = v[i] / step->bias_correction2;
    w[i] -= step->learning_rate * m_hat / (sqrt(v_hat) + step->epsilon);
  }
}
