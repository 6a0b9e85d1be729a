"""The functions as they are deployed: compiled by cargo-lambda, packaged by `sam build`, for one processor."""

import gzip
import os
import platform
from pathlib import Path

from processes import say

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "e2e"
SAM = str(WORK / "venv-sam/bin/sam")
FUNCTIONS = ["ingress", "writer", "poller", "admin"]
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
# Of our own: what a user keeps in samconfig.toml is of no account here.
SETTINGS = ["--config-file", str(ROOT / "tests/e2e/samconfig.toml"), "--config-env", "local"]
# What MiniStack can run: it starts the binaries on this machine.
HOST = ARCHITECTURES.get(platform.machine(), "x86_64")


def environment():
    """Ours without anything of the caller's own AWS account, and without proxies: everything is on this machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_BETA_RUST_CARGO_LAMBDA": "1",
        # cargo-lambda asks the first python3 on the path for zig.
        "PATH": f"{WORK / 'venv-build' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def folder(architecture):
    return WORK / f"build-{architecture}"


def functions(processes, architecture):
    """Compiles and packages. The first step is what `sam build` does, too; alone it shows its progress."""
    proxies = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    env = environment() | proxies  # crates and the other processor's standard library may have to be fetched
    if architecture != HOST:
        # cargo locks its folder: with one of its own, the other processor's build runs beside this machine's.
        env["CARGO_TARGET_DIR"] = str(WORK / f"target-{architecture}")
    compiled = 0
    for name in FUNCTIONS:
        say(f"{name}: compiling for {architecture}")
        # `sam build` cannot say so: here a lock file that is not up to date fails first.
        command = ["cargo", "lambda", "build", "--release", "--locked"] + (["--arm64"] if architecture == "arm64" else [])
        compiled += processes.run(command, 1500, cwd=ROOT / "functions" / name, env=env)
    say(f"functions: sam build for {architecture}")
    command = [SAM, "build", *SETTINGS, "--build-dir", str(folder(architecture))]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    return compiled, processes.run(command, 1500, cwd=ROOT, env=env)


def sizes(architecture):
    """A line for each packaged function."""
    lines = []
    for file in sorted(folder(architecture).glob("*/bootstrap")):
        binary = file.read_bytes()
        zipped = len(gzip.compress(binary))
        name = file.parent.name
        lines.append(f"{name} ({architecture}): {len(binary) / 1e6:.2f} MB, {zipped / 1e6:.2f} MB zipped")
    return lines
