#!/bin/sh
# Makes .venv-tensorflow: the same environment as .venv, with the real TensorFlow 2.12 where .venv has
# the stand-in of this folder. Rasa's DIET, TED and ResponseSelector need it. See docs/tensorflow.md.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
environment="$root/.venv-tensorflow"
UV_PYTHON_DOWNLOADS=${UV_PYTHON_DOWNLOADS:-never}
export UV_PYTHON_DOWNLOADS

fail() {
    echo "make tensorflow: $1" >&2
    exit 1
}

case "$(uname -s) $(uname -m)" in
    "Linux x86_64" | "Linux aarch64" | "Darwin x86_64") ;;
    *) fail "TensorFlow 2.12 has no package for this machine ($(uname -sm)). Use Linux, for instance in a container." ;;
esac

python=$(command -v python3.11 || true)
[ -n "$python" ] || fail "python3.11 is not installed. TensorFlow 2.12 does not run on a newer Python."

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    if [ ! -x .uv/bin/uv ]; then
        echo "Bringing uv into this folder…"
        "$python" -m venv .uv
        .uv/bin/pip install --quiet --disable-pip-version-check uv
    fi
    uv="$root/.uv/bin/uv"
fi

echo "Installing from uv.lock…"
UV_PROJECT_ENVIRONMENT="$environment" "$uv" sync --locked --python "$python"

# The stand-in has the version of the real one, so it would pass for it.
"$uv" pip uninstall --python "$environment/bin/python" tensorflow

overrides=$(mktemp)
trap 'rm -f "$overrides"' EXIT
# TensorFlow names jax, but only a converter uses it, and jax wants a newer numpy.
echo "jax ; sys_platform == 'never'" > "$overrides"

echo "Installing TensorFlow 2.12…"
# From another folder: the overrides in pyproject.toml are those of the environment without it. The
# bounds beside TensorFlow keep what Rasa needs at the versions that the lock has.
cd /
"$uv" pip install --python "$environment/bin/python" --override "$overrides" \
    "tensorflow==2.12.0" \
    "tensorflow-hub>=0.13,<0.14" \
    "tensorflow-text==2.12.0 ; platform_machine == 'x86_64'" \
    "numpy>=1.23.5,<1.24" \
    "protobuf>=4.25.9,<5" \
    "packaging>=21.3,<22" \
    "setuptools>=78.1.1,<81"

echo "Looking whether it works…"
"$environment/bin/python" -W ignore -c '
import tensorflow

assert not hasattr(tensorflow, "TensorFlowAbsentError"), "this is the stand-in"
total = float(tensorflow.reduce_sum(tensorflow.constant([1.0, 2.0])))
assert total == 3.0, total
print(f"TensorFlow {tensorflow.__version__} works.")
'
echo "Use it with .venv-tensorflow/bin/frontdesk in place of .venv/bin/frontdesk."
