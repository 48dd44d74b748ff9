#!/bin/sh
# Makes .venv-stock-rasa: Rasa 3.6 as it is released, with all that its own metadata asks for, the real
# TensorFlow among it. `frontdesk benchmark turns --vs stock-rasa` measures it. See docs/benchmarks.md.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
environment="$root/.venv-stock-rasa"
UV_PYTHON_DOWNLOADS=${UV_PYTHON_DOWNLOADS:-never}
export UV_PYTHON_DOWNLOADS

fail() {
    echo "make stock-rasa: $1" >&2
    exit 1
}

case "$(uname -s) $(uname -m)" in
    "Linux x86_64" | "Linux aarch64" | "Darwin x86_64") ;;
    *) fail "TensorFlow 2.12 has no package for this machine ($(uname -sm)). Use Linux, for instance in a container." ;;
esac

uv=$(command -v uv || true)
[ -n "$uv" ] || uv="$root/.uv/bin/uv"
[ -x "$uv" ] || fail "there is no uv. Make the usual environment first: make setup"

# STOCK_PYTHON, or the newest that Rasa's metadata allows; a name on the path need not run.
python=
for candidate in "${STOCK_PYTHON:-}" python3.10 python3.9 python3.8 \
    "$HOME"/.pyenv/versions/3.10.*/bin/python "$HOME"/.local/share/uv/python/cpython-3.10*/bin/python; do
    if [ -n "$candidate" ] && "$candidate" -c '
import sys
sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 10))
' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Rasa 3.6 as released needs Python 3.8 to 3.10, and there is none. Get one with: $uv python install 3.10
Or name yours: make stock-rasa STOCK_PYTHON=/path/to/python3.10"

# From another folder: the overrides in pyproject.toml are not for this environment.
cd /
"$uv" venv --quiet --allow-existing --python "$("$python" -c 'import sys; print(sys.executable)')" "$environment"
echo "Installing Rasa 3.6.21 and TensorFlow 2.12…"
"$uv" pip install --quiet --python "$environment/bin/python" "rasa==3.6.21"

echo "Looking whether it works…"
TF_CPP_MIN_LOG_LEVEL=2 "$environment/bin/python" -W ignore -c '
import rasa
import sqlalchemy
import tensorflow

total = float(tensorflow.reduce_sum(tensorflow.constant([1.0, 2.0])))
assert total == 3.0, total
print(f"Rasa {rasa.__version__} with TensorFlow {tensorflow.__version__} and SQLAlchemy {sqlalchemy.__version__}.")
'
echo "Measure it with: frontdesk benchmark turns --vs stock-rasa"
