#!/usr/bin/env bash
# What the GitHub Action does once mixc is installed: check, format, and the meaning of what changed since MIXC_BASE in the job summary.
# MIXC_SPECS: specs or folders, separated by spaces (all tracked .mix files where empty). MIXC_FORMAT=true: an unformatted spec fails.
set -uo pipefail

specs=()
if [[ -n "${MIXC_SPECS:-}" ]]; then
    read -ra named <<<"$MIXC_SPECS"
    for each in "${named[@]}"; do
        if [[ -d "$each" ]]; then
            while IFS= read -r -d '' file; do specs+=("$file"); done < <(git ls-files -z -- "$each/*.mix")
        else
            specs+=("$each")
        fi
    done
else
    while IFS= read -r -d '' file; do specs+=("$file"); done < <(git ls-files -z -- '*.mix')
fi
if ((${#specs[@]} == 0)); then
    echo 'no .mix files to check'
    exit 0
fi

failed=0
mixc check --format github "${specs[@]}" || failed=$?

if [[ "${MIXC_FORMAT:-true}" == true ]]; then
    mixc fmt --check "${specs[@]}" || failed=$((failed ? failed : $?))
fi

base="${MIXC_BASE:-}"
if [[ -n "$base" && "$base" != none ]] && git cat-file -e "$base^{commit}" 2>/dev/null; then
    for spec in "${specs[@]}"; do
        git cat-file -e "$base:./$spec" 2>/dev/null || continue
        if changes=$(mixc diff "$base:$spec" "$spec" --format md); then
            continue # the same meaning
        elif (($? == 2)); then
            printf '%s\n\n' "$changes" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
        fi
    done
fi
exit "$failed"
