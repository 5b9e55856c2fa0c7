#!/bin/sh
# Sets up the peers in Python and Go, in .cache/bench-peers, with all versions pinned. One that cannot be set up is
# reported, and the others go on. A folder is complete when it has a version.txt.
set -u
cd "$(dirname "$0")" || exit
root=$(cd ../../.. && pwd)/.cache/bench-peers
failed=0

# Arguments: name of the environment, folder, file of requirements, package whose version is shown.
python_peer() {
  echo "setting up $1"
  rm -rf "${root:?}/$1"
  # Wheels only, so that no compiler is needed.
  python3 -m venv "$root/$1" &&
    "$root/$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --only-binary=:all: -r "$2/$3" &&
    "$root/$1/bin/python" -c "import platform; from importlib.metadata import version
print(version('$4') + ', Python ' + platform.python_version())" >"$root/version.tmp" &&
    mv "$root/version.tmp" "$root/$1/version.txt" || failed=1
}

# Arguments: folder, module whose version is shown.
go_peer() {
  echo "setting up $1"
  rm -rf "${root:?}/$1"
  # The toolchain that is here, and modules exactly as they are locked.
  export GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0
  (cd "$1" && go build -trimpath -o "$root/$1/$1" . &&
    echo "$(go list -m -f '{{slice .Version 1}}' "$2"), $(go env GOVERSION)" >"$root/$1/version.txt") || failed=1
}

mkdir -p "$root"
python_peer bytewax-tutorial bytewax requirements-tutorial.txt bytewax
python_peer bytewax-tuned bytewax requirements-tuned.txt bytewax
python_peer redis-py redis-py requirements.txt redis
go_peer benthos github.com/benthosdev/benthos/v4
exit $failed
