# Sourced from the root of the checkout: four Python environments below target/e2e, since their pins contradict each
# other. Made anew when a requirement file changes; said ready only when everything is in.
for name in build sam aws lint; do
  wanted=tests/e2e/requirements-$name.txt
  venv=target/e2e/venv-$name
  cmp -s "$wanted" "$venv/installed.txt" && continue
  printf '=== installing %s\n' "$(grep -v '^#' "${wanted%.txt}.in" | tr '\n' ' ')"
  rm -rf "$venv"
  mkdir -p target/e2e
  timeout 60 python3 -m venv "$venv"
  timeout 900 "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$venv/installed.txt"
done
