#!/usr/bin/env python3
"""Step times of JAX and PyTorch on the networks of `lgl2o bench`: run both, one right after the other, on the same machine.

    taskset -c 0 python3 tests/peers/peers.py        needs `pip install jax torch`, or one of them; prints a line for each network and rule

One thread, batches of 128 that lie in memory, the same one in each step. In JAX the whole step is one compiled function whose
parameters are donated; PyTorch runs eagerly, with its own modules, loss and optimizers. A figure is the median of seven
runs of 300 steps, in microseconds a step on the processor. After each rule of S2 comes its update alone, from a gradient that
stays what it is. tests/peers has the same for candle and burn.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import statistics
import sys
import time

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None
try:
    import torch
except ImportError:
    torch = None

NETWORKS = {
    "S1": ([2, 32, 32, 2], "tanh"),
    "S2": ([784, 20, 10], "sigmoid"),
    "S3": ([784, 128, 10], "relu"),
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


def jax_runs(widths, activation, rule, alone=False):
    act = {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}[activation]
    rule = {"sgd": sgd, "adam": adam}[rule]
    key = jax.random.key(1)
    x = jax.random.uniform(key, (BATCH, widths[0]))
    y = jnp.arange(BATCH) % widths[-1]
    given = start(widths, jax.random.key(2)) if alone else ()

    def step(params, state, given):
        return rule(params, state, given if alone else jax.grad(loss)(params, act, x, y))

    step = jax.jit(step, donate_argnums=(0, 1))
    times = []
    for _ in range(RUNS):
        params = start(widths, key)
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        state = (jnp.float32(0), zeros(), zeros())
        params, state = jax.block_until_ready(step(params, state, given))
        begin = time.process_time()
        for _ in range(STEPS):
            params, state = step(params, state, given)
        jax.block_until_ready(params)
        times.append((time.process_time() - begin) * 1e6 / STEPS)
    return times


def torch_runs(widths, activation, rule, alone=False):
    torch.set_num_threads(1)
    act = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}[activation]
    x = torch.rand(BATCH, widths[0])
    y = torch.arange(BATCH) % widths[-1]
    times = []
    for _ in range(RUNS):
        layers = []
        for i, o in zip(widths, widths[1:]):
            layers += [torch.nn.Linear(i, o), act()]
        net = torch.nn.Sequential(*layers[:-1])
        optimizer = {
            "sgd": lambda params: torch.optim.SGD(params, lr=0.3, fused=True),
            "adam": lambda params: torch.optim.Adam(params, lr=0.01, fused=True),
        }[rule](net.parameters())

        def step():
            if alone:
                return optimizer.step()
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()

        for w in net.parameters():
            w.grad = torch.rand_like(w) - 0.5
        step()
        begin = time.process_time()
        for _ in range(STEPS):
            step()
        times.append((time.process_time() - begin) * 1e6 / STEPS)
    return times


peers = []
if jax:
    peers.append((f"JAX {jax.__version__}", jax_runs))
if torch:
    peers.append((f"PyTorch {torch.__version__}", torch_runs))
if not peers:
    sys.exit("neither jax nor torch is installed: pip install jax torch")
for name, (widths, activation) in NETWORKS.items():
    for rule in ("sgd", "adam"):
        for alone in (False, True) if name == "S2" else (False,):
            what = f"{name} {rule}, update alone" if alone else f"{name} {rule}"
            for peer, runs in peers:
                times = runs(widths, activation, rule, alone)
                print(f"{what}: {peer} {statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})", flush=True)
