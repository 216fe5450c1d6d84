#!/usr/bin/env python3
"""Step times of JAX on the networks of `lgl2o bench`: run both, one right after the other, on the same machine.

    taskset -c 0 python3 tests/peers.py        needs `pip install jax`; prints one line for each network and rule

One thread; the whole step is one compiled function whose parameters are donated, batches of 128 that lie in memory, the
same one in each step. A figure is the median of seven runs of 300 steps, in microseconds
a step on the processor.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import statistics
import time

import jax
import jax.numpy as jnp

NETWORKS = {
    "S1": ([2, 32, 32, 2], jnp.tanh),
    "S2": ([784, 20, 10], jax.nn.sigmoid),
    "S3": ([784, 128, 10], jax.nn.relu),
}
BATCH, RUNS, STEPS = 128, 7, 300


def loss(params, act, x, y):
    for w, b in params[:-1]:
        x = act(x @ w + b)
    w, b = params[-1]
    logits = jax.nn.log_softmax(x @ w + b)
    return -jnp.mean(jnp.take_along_axis(logits, y[:, None], 1))


def sgd(params, state, grads):
    return jax.tree.map(lambda w, g: w - 0.3 * g, params, grads), state


def adam(params, state, grads):
    t, m, v = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
    move = lambda w, m, v: w - 0.01 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return jax.tree.map(move, params, m, v), (t, m, v)


def start(widths, key):
    keys = jax.random.split(key, len(widths))
    draw = lambda k, i, o: (jax.random.uniform(k, (i, o), minval=-1, maxval=1) * (3 / i) ** 0.5, jnp.zeros(o))
    return [draw(k, i, o) for k, i, o in zip(keys, widths, widths[1:])]


def measure(widths, act, rule):
    key = jax.random.key(1)
    x = jax.random.uniform(key, (BATCH, widths[0]))
    y = jnp.arange(BATCH) % widths[-1]

    def step(params, state):
        return rule(params, state, jax.grad(loss)(params, act, x, y))

    step = jax.jit(step, donate_argnums=(0, 1))
    times = []
    for _ in range(RUNS):
        params = start(widths, key)
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        state = (jnp.float32(0), zeros(), zeros())
        params, state = jax.block_until_ready(step(params, state))
        begin = time.process_time()
        for _ in range(STEPS):
            params, state = step(params, state)
        jax.block_until_ready(params)
        times.append((time.process_time() - begin) * 1e6 / STEPS)
    return times


for name, (widths, act) in NETWORKS.items():
    for rule in (sgd, adam):
        times = measure(widths, act, rule)
        print(f"JAX {jax.__version__} {name} {rule.__name__}: {statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})")
