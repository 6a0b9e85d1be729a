# Sourced from the root: cargo's helpers of a fixed version, built once below target/tools if the machine lacks them.

# Built without optimisation: a helper runs for seconds, and its optimised build takes minutes.
tool() {
  local name=$1 version=$2 root=$PWD/target/tools
  PATH=$root/bin:$PATH
  export PATH
  if [ "$("$name" --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1)" = "$version" ]; then
    return
  fi
  echo "installing $name $version"
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$root/build \
    cargo install --quiet --debug --locked --version "$version" --root "$root" "$name"
  rm -rf "$root/build"
}
