#include <math.h>

#include "naive.h"

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
