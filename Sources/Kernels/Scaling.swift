/// y = factor · x; y may be x. Runs on the calling thread: a pass over memory, beside products of the same rows.
package func scale(_ x: Matrix, by factor: Float, into y: Matrix) {
  for i in 0..<x.count { y.start[i] = factor * x.start[i] }
}
