# Sourced by the scripts that people run: how they speak, show progress and fail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${0##*/}
logs=$root/.tools/logs

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$program" "$*" >&2
    exit 1
}

# Milliseconds since the epoch.
now() {
    local t=$EPOCHREALTIME
    echo $((${t/[.,]/} / 1000))
}

# 65432 as "65.4 s".
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# step TITLE COMMAND…: runs the command with its output in a log, shows that it moves, and how long it took; when it fails,
# shows the end of the log. Returns the command's status.
step() {
    local title=$1 log status=0 began ticker
    shift
    mkdir -p "$logs"
    log=$logs/$(tr -cs '[:alnum:]\n' - <<<"${title,,}" | sed 's/^-//;s/-$//').log
    : >"$log"
    began=$(now)
    tick "$title" "$log" &
    ticker=$!
    "$@" >"$log" 2>&1 </dev/null || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [[ ! -t 1 ]] || printf '\r\033[K'
    if ((status == 0)); then
        printf '  %-44s %s\n' "$title" "$(seconds $(($(now) - began)))"
    else
        printf '  %-44s failed after %s\n' "$title" "$(seconds $(($(now) - began)))"
        tail -n 25 "$log" | sed 's/^/    /'
        printf '    (all of it: %s)\n' "${log#"$root"/}"
    fi
    return "$status"
}

# On a terminal one line that is rewritten, elsewhere a line every ten seconds; both end with the log's last line.
tick() {
    local began=$SECONDS last width
    trap 'exit 0' TERM
    while kill -0 $$ 2>/dev/null; do
        last=$(tail -n 1 "$2" 2>/dev/null | tr -d '\r' | sed 's/^[[:space:]]*//')
        if [[ -t 1 ]]; then
            width=$((${COLUMNS:-100} - 1))
            last="  $1 … $((SECONDS - began)) s  $last"
            printf '\r\033[K%s' "${last:0:width}"
            sleep 0.5 &
        else
            ((SECONDS == began)) || printf '  %s … %d s  %.90s\n' "$1" $((SECONDS - began)) "$last"
            sleep 10 &
        fi
        wait $!
    done
}

listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sentence about a .NET SDK that does not serve, or nothing.
sdk_fault() {
    local wanted='the .NET SDK 10 (10.0.100 or later; https://dot.net/download)' found
    command -v dotnet >/dev/null || { echo "$wanted is not installed; install it and run $program again."; return; }
    found=$(cd "$root" && dotnet --version 2>/dev/null) && [[ $found == 10.* ]] ||
        echo "$wanted is needed, but only $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' ') is installed; install it and run $program again."
}

configuration=Release
solution=Lifecycle.Aspire.sln

# Prints one source, or with $2 = folders also one folder of sources, that changed since file $1 was written.
newer_than() {
    local kinds=(-type f)
    [[ ${2:-} != folders ]] || kinds=()
    (cd "$root" && find . -mindepth 1 \( -name bin -o -name obj -o -name node_modules -o -name TestResults -o -name .git -o -name .data \
        -o -name .tools \) -prune -o "${kinds[@]}" -newer "$1" ! -name '*.md' -print -quit)
}

# Whether anything changed since stamp $1, also by being deleted.
changed_since() {
    [[ ! -f $1 || $root/.tools/profile.props -nt $1 || $(newer_than "$1" folders) ]]
}

# build PROJECT: compiles it and all that it refers to, with every warning an error.
build() {
    # Of the build's helper processes the nodes end with it, and the compiler is a private one, so that nothing stays behind.
    local pipe
    pipe=lifecycle-$(cksum <<<"$root" | cut -d' ' -f1) status=0
    dotnet build "$root/$1" --configuration "$configuration" --nologo --verbosity minimal -warnaserror -nodeReuse:false \
        "-p:SharedCompilationId=$pipe" || status=$?
    dotnet "$(dotnet --info | sed -n 's/^ *Base Path: *//p' | head -n 1)Roslyn/bincore/VBCSCompiler.dll" "-pipename:$pipe" -shutdown >/dev/null || true
    return "$status"
}

# build_once TITLE PROJECT: builds it unless nothing changed since the last time that this, or the whole solution, was built.
build_once() {
    local stamp=$root/.tools/built-${2//\//-} other current=()
    changed_since "$stamp" && changed_since "$root/.tools/built-$solution" || return 0
    for other in "$root"/.tools/built-*; do
        [[ $other == *.new ]] || changed_since "$other" || current+=("$other")
    done
    rm -f "$stamp"
    touch "$stamp.new"
    step "$1" build "$2" || return 1
    # The build itself changes folders, by making bin and obj in them, which leaves every stamp that held as good as it was. A source that
    # was saved meanwhile is for the next build.
    [[ $(newer_than "$stamp.new") ]] || touch "$stamp.new" "${current[@]}"
    mv "$stamp.new" "$stamp"
}
